"""Completions over the API: POST /api/v1/completions/."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.api.models import ApiToken
from portal.api.v1 import completions
from portal.core.tenancy import organisation_scope
from portal.progress.models import CompletionEvent, UnplacedEvent
from tests.factories.people import make_employee
from tests.factories.progress import event
from tests.portal.api.conftest import holder

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import Employee

URL = "/api/v1/completions/"

pytestmark = pytest.mark.django_db


def post(client: Client, events: object) -> Any:
    return client.post(URL, json.dumps(events), content_type="application/json")


def error(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "extra"}
    found: dict[str, Any] = body["error"]
    return found


def test_it_records(platform: Client, laposte: Organisation, amelie: Employee) -> None:
    response = post(platform, [event("started", "00412877"), event("started", "nobody"), {"event_id": "x"}])

    assert response.status_code == 200
    body = response.json()
    issues = body.pop("issues")
    assert body == {"received": 3, "accepted": 1, "duplicate": 0, "unmatched": 1, "rejected": 1}
    assert [(issue["row"], issue["code"]) for issue in issues] == [(2, "unknown_person"), (3, "missing_programme")]
    with organisation_scope(laposte.pk):
        assert CompletionEvent.objects.filter(employee=amelie).count() == 1


def test_it_takes_lines(platform: Client, amelie: Employee) -> None:
    lines = f"{json.dumps(event('started', '00412877'))}\n\nnot json\n"
    response = platform.post(URL, lines, content_type="application/x-ndjson")
    body = response.json()
    assert (body["accepted"], body["rejected"]) == (1, 1)
    assert (body["issues"][0]["row"], body["issues"][0]["code"]) == (3, "unreadable_line")


def test_the_same_again_changes_nothing(platform: Client, amelie: Employee) -> None:
    events = [event("started", "00412877")]
    assert post(platform, events).json()["accepted"] == 1
    assert post(platform, events).json()["duplicate"] == 1


def test_a_whole_request_or_nothing(platform: Client, laposte: Organisation, amelie: Employee) -> None:
    events = [event("started", "00412877"), {**event("started", "00412877"), "progress": 101}]
    response = platform.post(f"{URL}?whole=1", json.dumps(events), content_type="application/json")
    assert response.status_code == 422
    body = response.json()
    assert (body["accepted"], body["rejected"]) == (0, 2)
    assert [issue["code"] for issue in body["issues"]] == ["batch_refused", "bad_progress"]
    with organisation_scope(laposte.pk):
        assert not CompletionEvent.objects.exists()
    good = platform.post(f"{URL}?whole=1", json.dumps(events[:1]), content_type="application/json")
    assert (good.status_code, good.json()["accepted"]) == (200, 1)


def test_nobody_is_refused(client: Client) -> None:
    response = post(client, [event()])
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert error(response)["code"] == "not_authenticated"


@pytest.mark.parametrize("header", ["Bearer oia_wrong", "Bearer ", "bearer \u00e9"])
def test_a_wrong_token_is_refused(db: None, header: str) -> None:
    response = post(Client(headers={"Authorization": header}), [event()])
    assert response.status_code == 401
    assert error(response)["code"] == "invalid_token"


def test_a_revoked_token_is_refused(platform: Client) -> None:
    ApiToken.objects.update(revoked_at="2026-11-01T00:00Z")
    assert post(platform, [event()]).status_code == 401


def test_a_session_is_no_token(as_helene: Client) -> None:
    assert post(as_helene, [event()]).status_code == 401


def test_a_token_without_the_scope_is_refused(laposte: Organisation) -> None:
    reader = holder("Reader", "organisation:laposte")
    response = post(reader, [event()])
    assert response.status_code == 403
    assert error(response)["code"] == "permission_denied"


def test_a_token_cannot_block_anothers_facts(laposte_system: Client, platform: Client, airbus: Organisation) -> None:
    make_employee(airbus, "7")
    kept = event(number="7", programme="unheard-of")
    assert post(laposte_system, [kept]).json()["unmatched"] == 1
    body = post(platform, [{**event(number="7", organisation="airbus"), "event_id": kept["event_id"]}]).json()
    assert (body["accepted"], body["rejected"]) == (1, 0)


def test_a_token_of_one_organisation_writes_there_only(
    laposte_system: Client, airbus: Organisation, amelie: Employee
) -> None:
    elsewhere = [event(number="1", organisation="airbus"), event(number="1", organisation="unheard-of")]
    body = post(laposte_system, [event("started", "00412877"), *elsewhere]).json()

    assert (body["accepted"], body["rejected"]) == (1, 2)
    # Both are answered alike: the answer does not tell which organisations exist.
    assert {issue["code"] for issue in body["issues"]} == {"organisation_not_allowed"}
    assert not UnplacedEvent.objects.exists()
    with organisation_scope(airbus.pk):
        assert not CompletionEvent.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "nothing", "{}", '"text"', "3", "[]", "[" * 50_000])
def test_a_body_that_is_no_list_is_refused(platform: Client, body: str) -> None:
    response = platform.post(URL, body, content_type="application/json")
    assert response.status_code == 400
    assert error(response)["code"] == "parse_error"


@pytest.mark.parametrize("item", [None, 3, "x", [], {}, {"event_id": None}, {"event_id": "\x00", "event": {}}])
def test_an_item_that_is_no_event_is_reported(platform: Client, item: object) -> None:
    body = post(platform, [item]).json()
    assert (body["received"], body["rejected"], body["issues"][0]["row"]) == (1, 1, 1)


def test_too_many_events_are_refused(platform: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completions, "MOST_EVENTS", 2)
    response = post(platform, [event(number="1") for _ in range(3)])
    assert response.status_code == 413
    assert error(response)["extra"] == {"limit": 2}
    assert not UnplacedEvent.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b",".join([b"{}"] * 1_000_000) + b"]",
        b"[[" + b",".join([b"[]"] * 1_000_000) + b"]]",
        b"[[" + b",".join([b"1.5"] * 1_000_000) + b"]]",
        b"{}\n" * 1_000_000,
        (b"[" + b",".join([b"{}"] * 20_000) + b"]\n") * 60,
    ],
    ids=["objects", "lists", "numbers", "lines", "lists in lines"],
)
def test_a_body_that_would_swell_is_refused(platform: Client, content: bytes) -> None:
    """What is small on the wire may be large in memory: it is refused before anything is built of it."""
    media_type = "application/x-ndjson" if b"\n" in content else "application/json"
    tracemalloc.start()
    try:
        response = platform.post(URL, content, content_type=media_type)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert response.status_code == 413
    assert error(response)["extra"] == {"limit": completions.MOST_EVENTS}
    # The test's client holds copies of the body as well.
    assert peak < 6 * len(content)


def test_a_full_request_is_not_too_large(platform: Client) -> None:
    """The limits on the body leave room for as many events as are allowed, with every field and more."""
    whole = {**event("certified", "00412877", email="a@laposte.example", progress=100), "extra": {"seen": [1, 2]}}
    events = [whole for _ in range(completions.MOST_EVENTS)]
    body = post(platform, events).json()
    assert body["received"] == completions.MOST_EVENTS


def test_a_long_body_is_refused_unread(platform: Client) -> None:
    response = platform.post(URL, b"x" * (completions.MOST_BYTES + 1), content_type="application/json")
    assert response.status_code == 413
    assert error(response)["extra"] == {"limit": completions.MOST_BYTES}


def test_another_kind_of_body_is_refused(platform: Client) -> None:
    assert platform.post(URL, "a=b", content_type="application/x-www-form-urlencoded").status_code == 415


def test_answers_stay_in_no_cache(platform: Client, client: Client) -> None:
    """Records are personal, and what is said of them to one caller is for no other: failures included."""
    answers = [post(platform, [event()]), post(platform, []), post(client, [event()]), platform.get(URL)]
    assert [answer.status_code for answer in answers] == [200, 400, 401, 405]
    assert {answer["Cache-Control"] for answer in answers} == {"private, no-store"}


def test_it_rejects_get(platform: Client) -> None:
    response = platform.get(URL)
    assert response.status_code == 405
    assert error(response)["code"] == "method_not_allowed"


def test_the_number_of_queries_does_not_grow(platform: Client, amelie: Employee) -> None:
    post(platform, [event("started", "00412877")])

    def queries(number: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            post(platform, [event("progressed", "00412877") for _ in range(number)])
        return len(captured)

    assert queries(1) == queries(50)
