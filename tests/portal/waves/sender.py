"""What the workers do with a wave, in a process of its own, to be killed: `python -m tests.portal.waves.sender`.

Arguments: the organisation's id, and the moment that it takes for now.
"""

from __future__ import annotations

import datetime as dt
import sys

import django


def main(organisation_id: int, now: dt.datetime) -> None:
    from portal.core.actor import SYSTEM  # noqa: PLC0415  Django first.
    from portal.core.delivery import deliver_mail, organisations_with_mail  # noqa: PLC0415
    from portal.organisations.models import Organisation  # noqa: PLC0415
    from portal.waves.services import release_due, settle_mails  # noqa: PLC0415

    organisation = Organisation.objects.get(pk=organisation_id)
    while release_due(actor=SYSTEM, organisation=organisation, now=now) or organisations_with_mail(now=now):
        deliver_mail(organisation_id=organisation_id, now=now)
        settle_mails(actor=SYSTEM, organisation=organisation)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), dt.datetime.fromisoformat(sys.argv[2]))
