"""What every partner's row has in common, and the list of work that must happen."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models

from portal.core.tenancy import TenantManager


class TenantModel(models.Model):
    """A row of a partner: it belongs to one organisation and is reached only inside that organisation's scope.

    Foreign keys between tenant models are declared with `db_constraint=False`; the migration adds the composite
    constraint (`portal.core.policies.composite_foreign_key`).
    """

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"


class PendingWork(TenantModel):
    """Something changed and an app above must catch up: a row, so that a lost message loses nothing.

    Rows are only added and removed, never updated: whoever catches up reads the ids, does the work, and removes
    those ids; what another transaction adds meanwhile stays for the next round.
    """

    topic = models.CharField(max_length=30)
    subject_id = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        abstract = False
        indexes = (models.Index(fields=["organisation", "topic", "id"], name="core_pendingwork_topic"),)
