"""Waves of invitations: when, how fast and in which words they leave for a cohort."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.cohorts.models import Cohort
from portal.core.models import TenantModel


class Wave(TenantModel):
    """Draft → held (planned; nothing leaves before `due_at`) → running ⇄ paused → done, or stopped at once.

    Mails leave from `starts_at` on, between `first_hour` and `last_hour` of the organisation's day, on working days
    unless `weekends`, at most `per_hour`. `subjects` and `bodies` are the organisation's own words, by language; the
    product's stand where there are none. `tried_at` is when somebody had these words sent to themselves.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        HELD = "held", _("planned")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")

    cohort = models.ForeignKey(
        Cohort, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    name = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    sites = models.JSONField(default=list, blank=True)
    starts_at = models.DateTimeField()
    per_hour = models.PositiveIntegerField(default=2_000)
    first_hour = models.PositiveSmallIntegerField(default=8)
    last_hour = models.PositiveSmallIntegerField(default=18)
    weekends = models.BooleanField(default=False)
    subjects = models.JSONField(default=dict, blank=True)
    bodies = models.JSONField(default=dict, blank=True)
    reminders = models.PositiveSmallIntegerField(default=2)
    reminder_days = models.PositiveSmallIntegerField(default=7)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    planned_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.CheckConstraint(
                condition=models.Q(first_hour__lt=models.F("last_hour"), last_hour__lte=24), name="waves_hours"
            ),
            models.CheckConstraint(condition=models.Q(per_hour__gt=0), name="waves_pace"),
        )
        indexes = (models.Index(fields=["organisation", "cohort", "-id"], name="waves_by_cohort"),)

    def __str__(self) -> str:
        return self.name


class WaveSlot(TenantModel):
    """How many people of a site are written to from an hour on: the plan as the planner shows it."""

    wave = models.ForeignKey(Wave, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    site = models.CharField(max_length=150, blank=True)
    opens_at = models.DateTimeField()
    people = models.PositiveIntegerField()

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "wave", "opens_at", "site"], name="waves_one_slot"),
        )
