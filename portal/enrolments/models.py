"""Enrolments: an employee in a cohort, each step with its time and cause; and the invitations that left for it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.cohorts.models import Cohort
from portal.core.models import OutgoingMail, TenantModel
from portal.people.models import Employee


class Enrolment(TenantModel):
    """The times say what happened; `state` is the furthest step, stored because lists filter by it.

    `activated_at` is the first sign-in or the first fact; `started_at`, `completed_at` and `certified_at` are facts of
    the learning platform only. A person withdrawn by hand stays withdrawn until someone enrols them again by hand;
    one withdrawn by a rule comes back when the rule holds again.
    """

    class Cause(models.TextChoices):
        UNKNOWN = "", _("unknown")
        IMPORT = "import", _("import")
        RULE = "rule", _("rule of the cohort")
        HAND = "hand", _("by hand")
        SIGN_IN = "sign-in", _("first sign-in")
        FACT = "fact", _("fact of the platform")
        UNDO = "undo", _("import taken back")

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
    enrolled_by = models.CharField(max_length=10, choices=Cause, default="", db_default="", blank=True)
    invited_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    activated_by = models.CharField(max_length=10, choices=Cause, default="", db_default="", blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    certified_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=10, choices=Cause, default="", db_default="", blank=True)
    certificate_url = models.CharField(max_length=500, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "employee", "cohort"], name="enrolments_one_per_cohort"),
        )
        indexes = (models.Index(fields=["organisation", "cohort", "state"], name="enrolments_by_state"),)


class Invitation(TenantModel):
    """What a wave has for one person of a cohort: the invitation (`number` 0) or a reminder (1, 2…).

    It is planned with its time; from there on its mail in the outbox says where it is. One withdrawn before it left was
    never sent. `wave_id` is the wave's, which lies in an app above.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        QUEUED = "queued", _("about to leave")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        BOUNCED = "bounced", _("bounced")
        FAILED = "failed", _("could not be sent")
        UNCERTAIN = "uncertain", _("perhaps sent")
        WITHDRAWN = "withdrawn", _("withdrawn")

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    wave_id = models.BigIntegerField()
    number = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    due_at = models.DateTimeField()
    mail = models.ForeignKey(
        OutgoingMail,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "enrolment", "number"], name="enrolments_invited_once"),
        )
        indexes = (
            models.Index(fields=["organisation", "wave_id", "state"], name="enrolments_invitation_wave"),
            models.Index(
                fields=["organisation", "due_at", "id"],
                condition=models.Q(state="planned"),
                name="enrolments_invitation_due",
            ),
            models.Index(
                fields=["organisation", "mail"],
                condition=models.Q(mail__isnull=False),
                name="enrolments_invitation_mail",
            ),
        )
