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


class OutgoingMail(TenantModel):
    """A mail that must leave once: due → sending → sent → delivered | bounced, or failed | uncertain | withdrawn.

    `key` names what the mail is about, so that the same thing is never written twice. A worker that dies between the
    mail server's word and ours leaves `sending`, which becomes `uncertain`: nobody is written to again unasked.
    """

    class State(models.TextChoices):
        DUE = "due"
        SENDING = "sending"
        SENT = "sent"
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        FAILED = "failed"
        UNCERTAIN = "uncertain"
        WITHDRAWN = "withdrawn"

    key = models.CharField(max_length=120)
    name = models.CharField(max_length=60)
    address = models.CharField(max_length=254)
    language = models.CharField(max_length=2)
    context = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=250, blank=True)
    error = models.CharField(max_length=60, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "key", "address"], name="core_mail_once"),)
        indexes = (
            models.Index(
                fields=["organisation", "due_at", "id"],
                condition=models.Q(state__in=("due", "sending")),
                name="core_mail_due",
            ),
        )
