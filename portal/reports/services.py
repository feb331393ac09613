"""Reports that leave the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.reports.documents import file_name, written
from portal.reports.selectors import cohort_report

if TYPE_CHECKING:
    from portal.cohorts.models import Cohort
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from portal.reports.documents import Format


@transaction.atomic
def export_cohort_report(
    *, actor: Actor, organisation: Organisation, cohort: Cohort, wanted: Format
) -> tuple[str, bytes]:
    """Return the name and the content of the document, and record that it left.

    Raises:
        Refusal: `not_yet`.
    """
    report = cohort_report(organisation, cohort)
    content = written(report, wanted)
    note_export(actor=actor, organisation=organisation, cohort=cohort, wanted=wanted)
    return file_name(report, wanted), content


@transaction.atomic
def note_export(*, actor: Actor, organisation: Organisation, cohort: Cohort, wanted: Format) -> None:
    """Record that a report left the portal, and to whom."""
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.REPORT_EXPORTED,
        subject=str(cohort.pk),
        data={"format": wanted.value},
    )
