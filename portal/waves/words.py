"""What an invitation says: the product's words, or the organisation's own around the same link.

The link leads to the organisation's door. It carries no session and no secret, so that whoever opens it first, a mail
scanner for instance, uses nothing up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.waves.models import Wave


def words_of(organisation: Organisation, wave: Wave) -> dict[str, object]:
    """Return what the templates of a wave's mails are given, but for the person's own."""
    programme = wave.cohort.programme
    return {
        "organisation": organisation.name,
        "programme_fr": programme.name_fr,
        "programme_en": programme.name_en,
        "cohort": wave.cohort.name,
        "ends_on": wave.cohort.ends_on.isoformat() if wave.cohort.ends_on else "",
        "contact": organisation.support_contact,
        "path": reverse("wave_start", args=[organisation.slug]),
        "subjects": wave.subjects,
        "bodies": wave.bodies,
    }
