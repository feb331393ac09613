"""What is read of enrolments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.enrolments.models import Enrolment

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation


def enrolments_of(organisation: Organisation, employee_id: int) -> QuerySet[Enrolment]:
    """One person's enrolments with their cohorts and programmes, the newest first."""
    return (
        Enrolment.objects.filter(organisation_id=organisation.pk, employee_id=employee_id)
        .select_related("cohort__programme")
        .order_by("-enrolled_at", "-id")
    )


def participants(organisation: Organisation, cohort: Cohort) -> QuerySet[Enrolment]:
    return (
        Enrolment.objects.filter(organisation_id=organisation.pk, cohort=cohort)
        .select_related("employee")
        .order_by("employee__sort_name", "id")
    )
