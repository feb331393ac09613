"""What is read of attempts to sign in: the newest, those alike, and one opened to its diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from sso.codes import could_be_of, tidy_code
from sso.diagnosis import diagnosed, what_happened
from sso.models import MetadataVersion, SignInTrace
from sso.remedies import remedy
from sso.saml.config import fingerprint
from sso.selectors import organisations_with_connections

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

    from sso.diagnosis import Diagnosis
    from sso.models import Connection
    from sso.remedies import Remedy

PAGE: Final = 50
FAILED, SUCCEEDED = "failed", "succeeded"
_GROUPS: Final = 8

# What was received says the same for everybody who meets the same fault.
_SAME_FOR_ALL: Final = frozenset(
    {
        "issuer_mismatch",
        "signature_invalid",
        "weak_algorithm",
        "audience_mismatch",
        "recipient_mismatch",
        "destination_mismatch",
        "nameid_foreign",
        "attribute_ambiguous",
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of attempts is narrowed to; "" and None narrow nothing."""

    outcome: str = ""
    error: str = ""
    connection: Connection | None = None


@dataclass(frozen=True, slots=True)
class AttemptsPage:
    """`before` leads to older attempts; it is an id."""

    attempts: list[SignInTrace]
    before: int | None


@dataclass(frozen=True, slots=True)
class Alike:
    """The same fault, met again and again. `people` counts those whose identifier is known."""

    attempts: int
    people: int
    since: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Group:
    """A fault that stops people, in the words of its diagnosis."""

    error: str
    what: str
    alike: Alike


@dataclass(frozen=True, slots=True)
class Opened:
    """An attempt opened to its diagnosis. `rotated`: the new metadata in which the unknown certificate stands."""

    trace: SignInTrace
    diagnosis: Diagnosis | None
    remedy: Remedy | None
    alike: Alike | None
    rotated: MetadataVersion | None

    @property
    def received(self) -> list[str]:
        return self._values(self.diagnosis.received) if self.diagnosis else []

    @property
    def expected(self) -> list[str]:
        return self._values(self.diagnosis.expected) if self.diagnosis else []

    @property
    def message_kept(self) -> bool:
        return self.trace.raw_until is not None and self.trace.raw_until > timezone.now()

    def _values(self, text: str) -> list[str]:
        """Of these codes a detail is a list, one value beside the other; any other is one text."""
        if self.trace.error in {"signature_invalid", "audience_mismatch"}:
            return text.split()
        return [text] if text else []


def attempts_page(organisation: Organisation, wanted: Wanted, *, before: int | None = None) -> AttemptsPage:
    """Return fifty attempts, the newest first; one query, whatever their number."""
    found = _narrowed(organisation, wanted)
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found.select_related("connection", "user").defer("raw").order_by("-id")[: PAGE + 1])
    return AttemptsPage(page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else None)


def failure_groups(organisation: Organisation) -> list[Group]:
    """Return the faults of the days that traces are kept, the most frequent first; one query."""
    failed = _narrowed(organisation, Wanted(outcome=FAILED)).order_by()
    rows = failed.values("error").annotate(
        attempts=Count("id"), people=Count("name_id", distinct=True), since=Min("at"), until=Max("at")
    )
    return [
        Group(error, what_happened(error), Alike(attempts, people, since, until))
        for error, attempts, people, since, until in rows.order_by("-attempts", "error").values_list(
            "error", "attempts", "people", "since", "until"
        )[:_GROUPS]
    ]


def attempt_coded(organisation: Organisation, code: str) -> SignInTrace | None:
    found = SignInTrace.objects.filter(organisation_id=organisation.pk, code=tidy_code(code))
    return found.select_related("connection", "user").defer("raw").first()


def opened(trace: SignInTrace) -> Opened:
    """Open an attempt: four queries at most."""
    if not trace.error:
        return Opened(trace, None, None, None, None)
    alike = SignInTrace.objects.filter(
        organisation_id=trace.organisation_id, connection=trace.connection, error=trace.error
    ).exclude(error="")
    if trace.error in _SAME_FOR_ALL:
        alike = alike.filter(details=trace.details)
    return Opened(
        trace,
        diagnosed(trace),
        remedy(trace.error, trace.connection),
        Alike(
            **alike.aggregate(
                attempts=Count("id"), people=Count("name_id", distinct=True), since=Min("at"), until=Max("at")
            )
        ),
        _rotated(trace) if trace.error == "signature_invalid" else None,
    )


def organisation_of_code(code: str) -> Organisation | None:
    """Return whose attempt a code is, in the few organisations that could have given it out, a scope each."""
    wanted = tidy_code(code)
    for organisation_id in organisations_with_connections():
        if not wanted or not could_be_of(wanted, organisation_id):
            continue
        with organisation_scope(organisation_id):
            if SignInTrace.objects.filter(organisation_id=organisation_id, code=wanted).exists():
                return Organisation.objects.filter(pk=organisation_id, active=True).first()
    return None


def _narrowed(organisation: Organisation, wanted: Wanted) -> QuerySet[SignInTrace]:
    found = SignInTrace.objects.filter(organisation_id=organisation.pk)
    if wanted.connection is not None:
        found = found.filter(connection=wanted.connection)
    if wanted.outcome == SUCCEEDED:
        found = found.filter(error="")
    elif wanted.outcome == FAILED or wanted.error:
        # In these words PostgreSQL takes the index of the failures, which are few among many.
        found = found.filter(~Q(error=""))
    if wanted.error:
        found = found.filter(error=wanted.error)
    return found


def _rotated(trace: SignInTrace) -> MetadataVersion | None:
    """Return the metadata that waits for somebody's word and holds the certificate that the message carried."""
    received = str(trace.details.get("received") or "")
    waiting = MetadataVersion.objects.filter(
        organisation_id=trace.organisation_id,
        connection=trace.connection,
        state__in=(MetadataVersion.State.PENDING, MetadataVersion.State.HELD),
    )
    for version in waiting.order_by("-id")[:5]:
        if received and received in {fingerprint(each) for each in version.idp_certificates}:
            return version
    return None
