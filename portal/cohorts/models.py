"""Programmes on the learning platform, and the cohorts in which organisations take part."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.core.models import TenantModel

DEFAULT_PROGRAMME = "objectif-ia"


class Programme(models.Model):
    """A course. `platform` names the adapter that speaks with where it runs (`portal.progress.platforms`)."""

    code = models.SlugField(max_length=60, unique=True)
    name_fr = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200)
    launch_url = models.URLField(max_length=500, blank=True)
    platform = models.CharField(max_length=20, default="rest", db_default="rest")
    starts_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name_fr


class Cohort(TenantModel):
    """A programme run for an organisation. `name_key` is the trimmed, case-folded name: unique in the organisation.

    `target` is how many people are to be certified. `membership` says who comes in by themselves: nobody, the people
    whom every rule names, or everyone on the roster.
    """

    class Membership(models.TextChoices):
        HAND = "hand", _("by hand and by import")
        RULES = "rules", _("by rules")
        EVERYONE = "everyone", _("everyone on the roster")

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=150)
    name_key = models.CharField(max_length=150)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    target = models.PositiveIntegerField(null=True, blank=True)
    membership = models.CharField(
        max_length=10, choices=Membership, default=Membership.HAND, db_default=Membership.HAND
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "name_key"], name="cohorts_one_name"),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="cohorts_ends_after_it_starts",
            ),
        )

    def __str__(self) -> str:
        return self.name


class CohortRule(TenantModel):
    """One condition on the roster; a person belongs when every rule of the cohort holds for them.

    `values` are the sites, departments or languages that count; `day` is that of the rules on the hiring date.
    """

    class Field(models.TextChoices):
        SITE = "site", _("site")
        DEPARTMENT = "department", _("department")
        LANGUAGE = "language", _("language")
        HIRED_BEFORE = "hired_before", _("hired before")
        HIRED_FROM = "hired_from", _("hired from")

    cohort = models.ForeignKey(
        Cohort, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    field = models.CharField(max_length=15, choices=Field)
    values = ArrayField(models.CharField(max_length=150), default=list, blank=True)
    day = models.DateField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "cohort", "field"], name="cohorts_one_rule_per_field"),
            models.CheckConstraint(
                condition=Q(field__in=("hired_before", "hired_from"), day__isnull=False)
                | (~Q(field__in=("hired_before", "hired_from")) & Q(day__isnull=True)),
                name="cohorts_rule_has_its_value",
            ),
        )
