"""The organisation's audit, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.audit.services import record_event
from portal.core.actor import OPERATOR, Actor, ActorKind
from portal.core.tenancy import organisation_scope
from portal.dashboards.journal import SENTENCES, counts, sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db(databases=["default"])


def record(organisation: Organisation, times: int = 1, *, action: Action = Action.IMPORT_OPENED) -> None:
    with organisation_scope(organisation.pk):
        for number in range(times):
            record_event(actor=OPERATOR, organisation_id=organisation.pk, action=action, subject=str(number))


def test_every_action_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Action)


@pytest.mark.parametrize("action", [*Action, "later:version:action"])
def test_a_sentence_never_fails_for_what_was_not_recorded(action: str) -> None:
    assert sentence(action, {})


def test_who_was_recognised_by_the_sign_in_did_not_do_it() -> None:
    helene, karim = Actor(ActorKind.USER, "7", "Hélène"), Actor(ActorKind.USER, "8", "Karim")
    by_hr = sentence(Action.EMPLOYEE_LINKED, {"user": 8}, helene.pseudonym)

    assert sentence(Action.EMPLOYEE_LINKED, {"user": 8}, karim.pseudonym) != by_hr
    assert sentence(Action.EMPLOYEE_LINKED, {}, OPERATOR.pseudonym) == by_hr


def test_counts_are_told_and_zeros_are_not() -> None:
    told = counts({"create": 4_997, "update": 0, "state": "ready", "reject": 4})

    assert told.count("·") == 1
    assert "997" in told


def test_the_newest_comes_first_and_pages_follow_each_other(as_odile: Client, laposte: Organisation) -> None:
    record(laposte, 70)
    with organisation_scope(laposte.pk):
        every = list(AuditEvent.objects.order_by("-id").values_list("id", flat=True))

    first = as_odile.get("/o/laposte/audit/").context
    second = as_odile.get(f"/o/laposte/audit/?before={first['before']}").context

    assert [told["line"].id for told in [*first["lines"], *second["lines"]]] == every
    assert second["before"] is None


@pytest.mark.parametrize("before", ["x", "²", "-1", "9" * 40])
def test_a_wrong_address_is_no_failure(as_odile: Client, before: str) -> None:
    assert as_odile.get("/o/laposte/audit/", {"before": before}).status_code == 200


def test_the_queries_do_not_grow_with_the_events(
    as_odile: Client, laposte: Organisation, queries: Callable[[Client, str], int]
) -> None:
    record(laposte, 2)
    few = queries(as_odile, "/o/laposte/audit/")
    record(laposte, 40, action=Action.COHORT_CREATED)

    assert queries(as_odile, "/o/laposte/audit/") == few <= 15


def test_only_owners_read_it(as_odile: Client, as_helene: Client, as_oscar: Client) -> None:
    assert as_odile.get("/o/laposte/audit/").status_code == 200
    assert as_helene.get("/o/laposte/audit/").status_code == 403
    assert as_oscar.get("/o/laposte/audit/").status_code == 404
