"""Facts from the learning platform, kept as they came, and the counts made of them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.cohorts.models import Cohort, Programme
from portal.core.models import TenantModel
from portal.organisations.models import Organisation
from portal.people.models import Employee, LearnerReference


class EventKind(models.TextChoices):
    STARTED = "started"
    PROGRESSED = "progressed"
    COMPLETED = "completed"
    CERTIFIED = "certified"
    REVOKED = "revoked"


class CompletionEvent(TenantModel):
    """One fact, immutable but for whom it was found to be about. `digest` tells a repeat from a contradiction.

    `source` is the adapter that brought it, `account` the platform's own name for the person, where it gave one.
    PostgreSQL checks the employee's key row by row, not the organisation's and the programme's (decision 8).
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    event_id = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=EventKind)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    source = models.CharField(max_length=20, default="", db_default="", blank=True)
    account = models.CharField(max_length=200, default="", db_default="", blank=True)
    learner = models.UUIDField(null=True, blank=True)
    employee_number = models.CharField(max_length=64, blank=True)
    email = models.CharField(max_length=254, blank=True)
    progress = models.PositiveSmallIntegerField(null=True, blank=True)
    certificate_url = models.CharField(max_length=500, blank=True)
    employee = models.ForeignKey(
        Employee,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "event_id"], name="progress_event_once"),)
        indexes = (
            models.Index(fields=["organisation", "employee", "programme"], name="progress_by_employee"),
            models.Index(
                fields=["organisation", "id"],
                condition=models.Q(employee__isnull=True),
                name="progress_unmatched",
            ),
        )


class UnplacedEvent(models.Model):
    """A fact whose organisation or programme is not known: kept as it came, until someone places it.

    An event_id is the own of the organisation that the fact states, known or not, or of those that state none
    (`organisation_slug` is empty): who may write for one organisation must not stand in the way of another's facts.
    """

    organisation_slug = models.CharField(max_length=60, blank=True)
    event_id = models.CharField(max_length=200)
    payload = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "unplaced_event"
        constraints = (
            models.UniqueConstraint(fields=["organisation_slug", "event_id"], name="progress_unplaced_once"),
        )


class RosterRollup(TenantModel):
    """How many active employees a site has."""

    site = models.CharField(max_length=150, blank=True)
    active = models.IntegerField()

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "site"], name="progress_roster_site"),)


class CohortRollup(TenantModel):
    """How many people of a cohort and site reached each step on a day. A total is the sum over the days."""

    cohort = models.ForeignKey(
        Cohort, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    site = models.CharField(max_length=150, blank=True)
    day = models.DateField()
    enrolled = models.IntegerField(default=0)
    invited = models.IntegerField(default=0)
    delivered = models.IntegerField(default=0, db_default=0)
    active = models.IntegerField(default=0, db_default=0)
    started = models.IntegerField(default=0)
    completed = models.IntegerField(default=0)
    certified = models.IntegerField(default=0)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "cohort", "site", "day"], name="progress_rollup_day"),
        )


class CohortSummary(TenantModel):
    """One line per cohort for those who watch many: its name and dates, its totals, and as of when.

    `losses` says how many of those enrolled are held up by which cause (`portal.progress.losses`), `weeks` how many
    were certified in the week that begins on each Monday.
    """

    cohort = models.ForeignKey(
        Cohort, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, db_index=False, related_name="+")
    name = models.CharField(max_length=150)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    roster = models.IntegerField(default=0)
    enrolled = models.IntegerField(default=0)
    invited = models.IntegerField(default=0)
    delivered = models.IntegerField(default=0, db_default=0)
    active = models.IntegerField(default=0, db_default=0)
    started = models.IntegerField(default=0)
    completed = models.IntegerField(default=0)
    certified = models.IntegerField(default=0)
    losses = models.JSONField(default=dict, db_default=models.Value({}, output_field=models.JSONField()))
    weeks = models.JSONField(default=dict, db_default=models.Value({}, output_field=models.JSONField()))
    as_of = models.DateTimeField()

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "cohort"], name="progress_one_summary"),)


class CohortSite(TenantModel):
    """One line per cohort and site: its totals, and how many people are held up by which cause."""

    cohort = models.ForeignKey(
        Cohort, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    site = models.CharField(max_length=150, blank=True)
    enrolled = models.IntegerField(default=0)
    invited = models.IntegerField(default=0)
    delivered = models.IntegerField(default=0)
    active = models.IntegerField(default=0)
    started = models.IntegerField(default=0)
    completed = models.IntegerField(default=0)
    certified = models.IntegerField(default=0)
    losses = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "cohort", "site"], name="progress_one_cohort_site"),
        )
        indexes = (models.Index(fields=["organisation", "cohort", "enrolled", "site"], name="progress_site_by_size"),)


class CountCheck(TenantModel):
    """What the latest comparison of the counts with the recorded facts found; one line per organisation."""

    checked_at = models.DateTimeField()
    checked = models.IntegerField()
    different = models.IntegerField()

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation"], name="progress_one_check"),)


class DeskItem(TenantModel):
    """What the reconciliation desk has to settle: a fact refused or contradicted, two accounts, dates that clash.

    Nothing that came is lost: `payload` is the event as it came. `key` is what the item is about, so that the same
    thing stands here once. A "person" is what HR said of facts that nobody was found for: whom they are about, now and
    later, or (without an employee) that they are to be left aside.
    """

    class Kind(models.TextChoices):
        PERSON = "person", _("facts that match nobody")
        REFUSED = "refused", _("refused fact")
        CONTRADICTED = "contradicted", _("same number, other content")
        ACCOUNTS = "accounts", _("two accounts of one person")
        DATES = "dates", _("dates that contradict each other")

    kind = models.CharField(max_length=15, choices=Kind)
    key = models.CharField(max_length=250)
    code = models.CharField(max_length=60, blank=True)
    payload = models.JSONField(default=dict)
    employee = models.ForeignKey(
        Employee,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    noted_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=200, blank=True)
    answer = models.CharField(max_length=20, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "kind", "key"], name="progress_desk_once"),)
        indexes = (
            models.Index(
                fields=["organisation", "id"], condition=models.Q(settled_at__isnull=True), name="progress_desk_open"
            ),
        )


class Delivery(TenantModel):
    """One arrival of facts: by which way, when, and what became of them. Every figure names its source by it."""

    source = models.CharField(max_length=20)
    name = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    accepted = models.IntegerField(default=0)
    duplicate = models.IntegerField(default=0)
    unmatched = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)

    class Meta(TenantModel.Meta):
        abstract = False
        indexes = (models.Index(fields=["organisation", "-id"], name="progress_delivery_newest"),)


class DeskSummary(TenantModel):
    """What waits at the desk of an organisation, counted, and the delivery that came last: for those who watch many."""

    unmatched = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    contradicted = models.IntegerField(default=0)
    accounts = models.IntegerField(default=0)
    dates = models.IntegerField(default=0)
    delivered_by = models.CharField(max_length=20, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField()

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation"], name="progress_one_desk"),)


class PlatformLink(models.Model):
    """Where and how the enrolments of a programme are told to its platform. `secret` is sealed.

    `personal` lists what this platform has to be told beside the opaque reference: nothing, as a rule.
    """

    programme = models.OneToOneField(Programme, on_delete=models.CASCADE, related_name="+")
    endpoint = models.URLField(max_length=500)
    secret = models.BinaryField(blank=True, default=b"")
    personal = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    enabled = models.BooleanField(default=True)


class EnrolmentOut(TenantModel):
    """One enrolment, or its end, to be told to the platform: a row, so that no lost message loses it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        TOLD = "told"
        GIVEN_UP = "given-up"

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, db_index=False, related_name="+")
    employee = models.ForeignKey(
        Employee, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    enrolled = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=60, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "employee", "programme"], name="progress_told_once"),
        )
        indexes = (
            models.Index(
                fields=["organisation", "due_at"], condition=models.Q(state="waiting"), name="progress_enrolment_out"
            ),
        )


class Certificate(TenantModel):
    """A certificate that anyone can check by its code: it belongs to the person, whoever employs them.

    `holder` is the name that the public page shows, empty where the organisation sends no names and the person gave
    none. The door of kind "certificate" leads from the code to the organisation.
    """

    code = models.CharField(max_length=20)
    learner = models.ForeignKey(LearnerReference, on_delete=models.PROTECT, db_index=False, related_name="+")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, db_index=False, related_name="+")
    employee = models.ForeignKey(
        Employee,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    holder = models.CharField(max_length=310, blank=True)
    certified_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "code"], name="progress_certificate_code"),
            models.UniqueConstraint(fields=["organisation", "learner", "programme"], name="progress_one_certificate"),
        )
