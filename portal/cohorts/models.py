"""Programmes on the learning platform, and the cohorts in which organisations take part."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from portal.core.models import TenantModel

DEFAULT_PROGRAMME = "objectif-ia"


class Programme(models.Model):
    code = models.SlugField(max_length=60, unique=True)
    name_fr = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200)
    launch_url = models.URLField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name_fr


class Cohort(TenantModel):
    """A programme run for an organisation. `name_key` is the trimmed, case-folded name: unique in the organisation."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=150)
    name_key = models.CharField(max_length=150)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
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
