"""An upload and what becomes of it: the import, its staged rows, its issues, what it changed, what is remembered."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from portal.core.models import TenantModel
from portal.organisations.models import Language


class RosterImport(TenantModel):
    """One upload. `counts` is the plan: rows = create + update + unchanged + merged + reject.

    The states move by compare-and-set. `heartbeat_at` is written by whoever works on it; when it falls silent, the
    sweep takes the work up again. `quarantine` names the file as it came, until it has been read; `copy` the redacted
    copy that replaces it. `stale` says that corrections wait to be compared; `agreed` is the digest of the plan that
    was confirmed while it had to be made again. `touched_by` are the users who
    changed since what it would do: none of them approves it. `cursor_*` is how far an apply has come.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded"
        PREPARING = "preparing"
        UNCLEAR = "unclear"
        PLANNING = "planning"
        READY = "ready"
        HELD = "held"
        APPLYING = "applying"
        APPLIED = "applied"
        UNDOING = "undoing"
        UNDONE = "undone"
        FAILED = "failed"
        CANCELLED = "cancelled"
        SUPERSEDED = "superseded"

    class Mode(models.TextChoices):
        DELTA = "delta"
        FULL = "full"

    class Channel(models.TextChoices):
        PAGE = "page"
        COMMAND = "command"
        API = "api"

    class Release(models.TextChoices):
        """What an apply lets through: what is not held, then what was, or everything."""

        FREE = ""
        HELD = "held"
        ALL = "all"

    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    mode = models.CharField(max_length=5, choices=Mode, default=Mode.DELTA)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    file_name = models.CharField(max_length=255)
    file_size = models.BigIntegerField()
    file_digest = models.BinaryField(max_length=32)
    channel = models.CharField(max_length=7, choices=Channel, default=Channel.COMMAND)
    quarantine = models.CharField(max_length=100, blank=True)
    merging = models.BooleanField(default=False)
    merged_digest = models.BinaryField(max_length=32, null=True, blank=True)
    copy = models.CharField(max_length=100, blank=True)
    copy_format = models.CharField(max_length=5, blank=True)
    copy_digest = models.BinaryField(max_length=32, null=True, blank=True)
    wanted_sheet = models.CharField(max_length=255, blank=True)
    wanted_header_row = models.PositiveIntegerField(null=True, blank=True)
    choice = models.JSONField(default=dict, blank=True)
    preview = models.JSONField(default=dict, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    touched_by = ArrayField(models.BigIntegerField(), default=list, blank=True)
    override_edits = models.BooleanField(default=False)
    cohort_name = models.CharField(max_length=150, blank=True)
    mapping = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    held_sites = ArrayField(models.CharField(max_length=150), default=list, blank=True)
    held_whole = models.BooleanField(default=False)
    release = models.CharField(max_length=4, choices=Release, default=Release.FREE, blank=True)
    approved_by = models.UUIDField(null=True, blank=True)
    stale = models.BooleanField(default=False)
    agreed = models.CharField(max_length=32, blank=True)
    cursor_action = models.CharField(max_length=10, blank=True)
    cursor_number = models.IntegerField(default=0)
    done_rows = models.IntegerField(default=0)
    work_began_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=40, blank=True)
    error_params = models.JSONField(default=dict)
    due_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    planned_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            # Two imports of one organisation never write at once.
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(state__in=["applying", "undoing"]),
                name="imports_one_at_work",
            ),
        )
        indexes = (models.Index(fields=["organisation", "-id"], name="imports_newest_first"),)


class RowOfImport(TenantModel):
    """A row of an import: the composite key to the import already says that its organisation exists.

    A second check of each row against the organisations would cost a fifth of what writing it costs.
    """

    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta(TenantModel.Meta):
        abstract = True


class StagedRow(RowOfImport):
    """A row of the file as it was understood, or (`depart`, numbers below 0) a person absent from a full file.

    Text is empty where the cell is empty; which columns the file has at all is said by the import's mapping. `twin_id`
    is an employee who is likely the same person under another key, `twin_why` says by what, and `twin_said` what HR
    decided. Rows are written once, when the plan is made, and an apply only reads them.
    """

    class Action(models.TextChoices):
        NEW = ""
        CREATE = "create"
        UPDATE = "update"
        UNCHANGED = "unchanged"
        MERGED = "merged"
        REJECT = "reject"
        DEPART = "depart"

    class Twin(models.TextChoices):
        """Whether HR says that the row and its likely twin are one person."""

        UNSAID = ""
        SAME = "same"
        OTHER = "other"

    roster_import = models.ForeignKey(
        RosterImport, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    number = models.IntegerField()
    employee_number = models.CharField(max_length=64, blank=True)
    email = models.CharField(max_length=254, blank=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    sort_name = models.CharField(max_length=310, blank=True)
    site = models.CharField(max_length=150, blank=True)
    department = models.CharField(max_length=150, blank=True)
    manager_email = models.CharField(max_length=254, blank=True)
    hired_on = models.DateField(null=True, blank=True)
    left_on = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=2, choices=Language, blank=True)
    cohort = models.CharField(max_length=150, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    action = models.CharField(max_length=10, choices=Action, default=Action.NEW, blank=True)
    employee_id = models.BigIntegerField(null=True, blank=True)
    changed = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    before = models.JSONField(null=True, blank=True)
    kept = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    departs = models.BooleanField(default=False)
    leaves = models.BooleanField(default=False)
    moves_site = models.BooleanField(default=False)
    renamed = models.BooleanField(default=False)
    held = models.BooleanField(default=False)
    corrected = models.BooleanField(default=False)
    twin_id = models.BigIntegerField(null=True, blank=True)
    twin_why = models.CharField(max_length=10, blank=True)
    twin_said = models.CharField(max_length=5, choices=Twin, default=Twin.UNSAID, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        indexes = (
            models.Index(fields=["organisation", "roster_import", "action", "number"], name="imports_staged_list"),
            # Each list of the review that is a part of an action, or of several, is an index of its few rows.
            *(
                models.Index(
                    fields=["organisation", "roster_import", "number"],
                    condition=condition,
                    name=f"imports_staged_{name}",
                )
                for name, condition in (
                    ("leaves", Q(leaves=True)),
                    ("moves", Q(moves_site=True)),
                    ("renamed", Q(renamed=True)),
                    ("held", Q(held=True)),
                    ("twins", Q(twin_id__isnull=False)),
                    ("corrected", Q(corrected=True)),
                )
            ),
        )


class RowIssue(RowOfImport):
    """What is wrong or noteworthy in a row. The sentence is made when it is shown, in the reader's language."""

    roster_import = models.ForeignKey(
        RosterImport, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    number = models.IntegerField()
    column = models.CharField(max_length=255, blank=True)
    code = models.CharField(max_length=40)
    severity = models.CharField(max_length=10)
    rank = models.PositiveSmallIntegerField()
    params = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        abstract = False
        indexes = (
            models.Index(fields=["organisation", "roster_import", "rank", "number"], name="imports_issues_worst"),
        )


class ImportChange(RowOfImport):
    """One thing that an import changed, with what it replaced and what it wrote: enough to take it back.

    Most people join a cohort as they come: then their row says which (`cohort_ids`), and an undo makes rows of it, to
    say what became of each enrolment.
    """

    class Action(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"
        DEACTIVATE = "deactivate"
        ENROL = "enrol"

    roster_import = models.ForeignKey(
        RosterImport, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    employee_id = models.BigIntegerField()
    cohort_id = models.BigIntegerField(null=True, blank=True)
    cohort_ids = ArrayField(models.BigIntegerField(), null=True, blank=True)
    action = models.CharField(max_length=10, choices=Action)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    undone = models.CharField(max_length=10, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        indexes = (
            models.Index(fields=["organisation", "roster_import", "id"], name="imports_changes"),
            models.Index(fields=["organisation", "employee_id"], name="imports_changes_of_person"),
        )


class SitePlan(RowOfImport):
    """What an import does to one site: who comes, leaves, moves in and out, and how many work there now."""

    roster_import = models.ForeignKey(
        RosterImport, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    site = models.CharField(max_length=150, blank=True)
    arrivals = models.IntegerField(default=0)
    departures = models.IntegerField(default=0)
    moves_in = models.IntegerField(default=0)
    moves_out = models.IntegerField(default=0)
    active = models.IntegerField(default=0)
    held = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "roster_import", "site"], name="imports_site_once"),
        )


class ColumnMapping(TenantModel):
    """How HR said that files with these headers are read; found again by the headers' signature."""

    signature = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    confirmed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "signature"], name="imports_mapping_once"),)


class SiteName(TenantModel):
    """Another way of writing a site ("PARIS 15" for "Paris XV"), by its folded text; the same name twice settles it."""

    written = models.CharField(max_length=150)
    site = models.CharField(max_length=150)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "written"], name="imports_site_name_once"),)
