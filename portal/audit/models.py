"""The audit: append-only, without foreign keys, so that it outlives what it speaks of and names nobody by itself."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models

from portal.audit.actions import ABOUT_A_PERSON, ABOUT_EVERYONE
from portal.core.tenancy import TenantManager


class Entry(models.Model):
    """One business fact, of `portal.audit.actions`. `data` holds ids and counts, never a person's name or address."""

    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=10)
    actor = models.UUIDField()
    subject = models.CharField(max_length=80, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        abstract = True


class AuditEvent(Entry):
    organisation_id = models.BigIntegerField()
    on_behalf_of_programme = models.BooleanField(default=False)

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        base_manager_name = "objects"
        indexes = (
            models.Index(fields=["organisation_id", "-id"], name="audit_newest_first"),
            # What a person reads of who looked at them: a few lines among very many.
            models.Index(
                fields=["organisation_id", "action", "subject", "-id"],
                condition=models.Q(action__in=[*ABOUT_A_PERSON, *ABOUT_EVERYONE]),
                name="audit_about_people",
            ),
        )


class AuditName(models.Model):
    """The name behind a pseudonym, in one organisation: the part that can be erased."""

    organisation_id = models.BigIntegerField()
    pseudonym = models.UUIDField()
    name = models.CharField(max_length=200)

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        base_manager_name = "objects"
        constraints = (models.UniqueConstraint(fields=["organisation_id", "pseudonym"], name="audit_one_name"),)


class PlatformAuditEvent(Entry):
    """A fact of the programme itself, which belongs to no single organisation."""

    class Meta:
        db_table = "platform_audit"
