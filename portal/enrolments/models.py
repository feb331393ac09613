"""Enrolments: an employee in a cohort, and each step with its time."""

from __future__ import annotations

from django.db import models

from portal.cohorts.models import Cohort
from portal.core.models import TenantModel
from portal.people.models import Employee


class Enrolment(TenantModel):
    """The times say what happened; `state` is the furthest step, stored because lists filter by it.

    `activated_at` is the first sign-in or the first fact; `started_at`, `completed_at` and `certified_at` are facts of
    the learning platform only. A person withdrawn stays withdrawn until someone enrols them again by hand.
    """

    class State(models.TextChoices):
        ENROLLED = "enrolled"
        INVITED = "invited"
        ACTIVE = "active"
        COMPLETED = "completed"
        CERTIFIED = "certified"
        WITHDRAWN = "withdrawn"

    cohort = models.ForeignKey(
        Cohort, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    employee = models.ForeignKey(
        Employee, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State, default=State.ENROLLED)
    enrolled_at = models.DateTimeField()
    invited_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    certified_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    certificate_url = models.CharField(max_length=500, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "employee", "cohort"], name="enrolments_one_per_cohort"),
        )
        indexes = (models.Index(fields=["organisation", "cohort", "state"], name="enrolments_by_state"),)
