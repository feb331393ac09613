"""What is printed for people without e-mail: a sheet for each site, and a slip with a code for each person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from portal.core.templatetags.ui import day
from portal.core.tenancy import cursor_rows
from portal.core.typesetting import qr_picture, typeset
from portal.people.codes import LIFETIME

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation
    from portal.people.codes import Slip

MOST_SHEETS = 1_000


def site_sheets(organisation: Organisation, cohort: Cohort) -> bytes:
    """Return one sheet for each site of the cohort, in the organisation's language."""
    rows = cursor_rows(
        "SELECT DISTINCT p.site FROM enrolments_enrolment e"
        " JOIN people_employee p ON p.organisation_id = e.organisation_id AND p.id = e.employee_id"
        " WHERE e.organisation_id = %s AND e.cohort_id = %s AND e.withdrawn_at IS NULL AND p.active"
        " ORDER BY p.site LIMIT %s",
        [organisation.pk, cohort.pk, MOST_SHEETS],
    )
    url = _address("wave_start", organisation.slug)
    with override(organisation.language):
        programme = cohort.programme.name_fr if organisation.language == "fr" else cohort.programme.name_en
        words = {
            "lang": organisation.language,
            "title": _("%(programme)s: sheets for each site") % {"programme": programme},
            "organisation": organisation.name,
            "sites": [site for (site,) in rows] or [""],
            "heading": _("Learn what artificial intelligence is"),
            "lead": _("%(programme)s is free, made for everyone, and ends with a certificate that stays yours.")
            % {"programme": programme},
            "ends": _("Until %(day)s.") % {"day": day(cohort.ends_on)} if cohort.ends_on else "",
            "steps": [
                _("Scan this code with your telephone, or open the address below it."),
                _("Sign in with the account that you use at work. There is no password to create."),
                _("Begin. You can stop at any moment and go on later, from any device."),
            ],
            "url": url,
            "qr": qr_picture(url),
            "qr_alt": _("QR code that leads to %(address)s") % {"address": url},
            "without_account": _("No account at work? Ask your HR for your personal code, and open %(address)s")
            % {"address": _address("code")},
            "contact": _("Questions: %(contact)s") % {"contact": organisation.support_contact}
            if organisation.support_contact
            else "",
        }
    return typeset("waves/sheets.typ", words, at=_now())


def code_slips(organisation: Organisation, slips: Sequence[Slip], *, site: str) -> bytes:
    """Return the slips, eight on a page, to be cut apart. Nothing else ever shows these codes."""
    url = _address("code")
    now = _now()
    with override(organisation.language):
        words: dict[str, Any] = {
            "lang": organisation.language,
            "title": _("Personal codes: %(site)s") % {"site": site or organisation.name},
            "organisation": organisation.name,
            "people": [
                {"name": slip.name, "number": slip.employee_number, "site": slip.site, "code": slip.code}
                for slip in slips
            ],
            "label": _("Your personal code, for “Objectif IA”"),
            "steps": [
                _("Scan, or open %(address)s") % {"address": url},
                _("Type the code."),
                _("Your telephone makes a passkey: from then on, it is your key."),
            ],
            "until": _("Works once, until %(day)s. For you alone: do not lend it.")
            % {"day": day((now + LIFETIME).date())},
            "qr": qr_picture(url),
            "qr_alt": _("QR code that leads to %(address)s") % {"address": url},
        }
    return typeset("waves/slips.typ", words, at=now)


def _now() -> dt.datetime:
    """A document's date has no fractions of a second."""
    return timezone.now().replace(microsecond=0)


def _address(name: str, *args: str) -> str:
    return f"{settings.BASE_URL}{reverse(name, args=args)}"
