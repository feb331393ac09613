"""xAPI over HTTP; the numbers in the names are those of the public conformance requirements (docs/xapi.md)."""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from portal.api.services import create_api_token
from portal.api.v1 import xapi
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.enrolments.models import Enrolment
from portal.people.learners import ensure_employee_learners
from portal.people.models import Employee
from portal.progress.models import CompletionEvent, Delivery, DeskItem, UnplacedEvent
from tests.factories.people import make_employee
from tests.factories.progress import caught_up, enrol, make_cohort
from tests.factories.statements import COURSE, PROGRESS, statement, voiding

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

URL = "/api/v1/xapi/statements"
HEADERS = {"X-Experience-API-Version": "1.0.3"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def lrp(db: None) -> Client:
    """The platform, which writes for every organisation."""
    return sender("completions:write")


def sender(*scopes: str) -> Client:
    secret = create_api_token(actor=OPERATOR, name=f"LRP {uuid.uuid4()}", scopes=scopes)
    return Client(headers={"Authorization": f"Bearer {secret}", **HEADERS})


def post(client: Client, *statements: object, url: str = URL, **how: Any) -> Any:
    body = statements[0] if len(statements) == 1 else list(statements)
    return client.post(url, json.dumps(body), content_type="application/json", **how)


def put(client: Client, found: object, statement_id: str) -> Any:
    return client.put(f"{URL}?statementId={statement_id}", json.dumps(found), content_type="application/json")


def code(response: Any) -> str:
    assert response["X-Experience-API-Version"] == "1.0.3"
    return str(response.json()["error"]["code"])


def facts(organisation: Organisation) -> list[CompletionEvent]:
    with organisation_scope(organisation.pk):
        return list(CompletionEvent.objects.order_by("id"))


# --- Requests ------------------------------------------------------------------------------------------------------


def test_00146_post_returns_the_ids(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    first, second = statement("initialized"), statement(id=...)
    response = post(lrp, first, second)
    assert response.status_code == 200
    ids = response.json()
    assert ids[0] == first["id"]
    assert str(uuid.UUID(ids[1])) == ids[1]
    # Facts of one delivery are kept in the order of their ids, and the second one's is drawn.
    assert sorted((fact.kind, fact.employee_id, fact.source) for fact in facts(laposte)) == [
        ("completed", amelie.pk, "xapi"),
        ("started", amelie.pk, "xapi"),
    ]


def test_00147_post_needs_no_redirect_with_or_without_a_slash(lrp: Client, amelie: Employee) -> None:
    assert post(lrp, statement()).status_code == 200
    assert post(lrp, statement(), url=f"{URL}/").status_code == 200


def test_00143_and_00144_put_answers_204(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    made = statement()
    response = put(lrp, made, made["id"])
    assert (response.status_code, response.content) == (204, b"")
    assert response["X-Experience-API-Version"] == "1.0.3"
    other = str(uuid.uuid4())
    assert put(lrp, statement(id=...), other).status_code == 204
    assert {fact.event_id for fact in facts(laposte)} == {made["id"], other}


@pytest.mark.parametrize("query", ["", "?statementId=", "?statementId=7", "?statementid={id}"])
def test_00145_put_needs_a_statement_id(lrp: Client, query: str) -> None:
    made = statement()
    url = URL + query.format(id=made["id"])
    response = lrp.put(url, json.dumps(made), content_type="application/json")
    assert response.status_code == 400
    assert code(response) in {"missing_statement_id", "unknown_parameter"}


def test_put_takes_one_statement_of_that_id(lrp: Client) -> None:
    assert code(put(lrp, statement(), str(uuid.uuid4()))) == "different_id"
    assert code(put(lrp, [statement()], str(uuid.uuid4()))) == "no_statements"


def test_00142_a_statement_cannot_be_modified(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    made = statement("initialized")
    assert put(lrp, made, made["id"]).status_code == 204
    assert put(lrp, made, made["id"]).status_code == 204
    changed = put(lrp, {**made, "verb": statement("passed")["verb"]}, made["id"])
    assert (changed.status_code, code(changed)) == (409, "conflict")
    posted = post(lrp, {**made, "result": {"response": "other"}})
    assert (posted.status_code, code(posted)) == (409, "conflict")
    assert [fact.kind for fact in facts(laposte)] == ["started"]
    # What was refused is at the desk, once.
    with organisation_scope(laposte.pk):
        assert DeskItem.objects.filter(kind="contradicted").count() == 2


def test_a_repeat_may_call_things_otherwise(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    made = statement()
    post(lrp, made)
    again = {
        **made,
        "stored": "2026-10-06T08:00:00Z",
        "version": "1.0.0",
        "verb": {**made["verb"], "display": {"fr": "a terminé"}},
        "object": {"id": COURSE, "definition": {"name": {"fr": "Objectif IA"}}},
    }
    assert post(lrp, again).status_code == 200
    assert len(facts(laposte)) == 1


def test_00326_a_batch_is_taken_whole_or_not_at_all(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    good, bad, early = statement(), statement(verb={}), statement(actor={"name": "x"})
    response = post(lrp, good, bad, early)
    assert (response.status_code, code(response)) == (400, "invalid_statement")
    items = response.json()["error"]["extra"]["items"]
    assert [(item["row"], item["code"], item["where"]) for item in items] == [
        (2, "missing_property", "verb"),
        (3, "bad_identifier", "actor"),
    ]
    assert not facts(laposte)
    # Nothing is lost: who the refused ones are for is not known, so that the programme keeps them.
    assert UnplacedEvent.objects.count() == 2


def test_00326_a_fact_that_cannot_be_refuses_its_batch(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    future = statement(timestamp="2096-10-05T08:00:00Z")
    response = post(lrp, statement(), future)
    items = response.json()["error"]["extra"]["items"]
    assert [item["code"] for item in items] == ["batch_refused", "from_the_future"]
    assert items[1]["id"] == future["id"]
    assert not facts(laposte)
    with organisation_scope(laposte.pk):
        assert DeskItem.objects.get().code == "from_the_future"
        assert Delivery.objects.get().rejected == 1


def test_two_statements_of_one_id_are_refused(lrp: Client) -> None:
    made = statement()
    response = post(lrp, made, made)
    assert response.json()["error"]["extra"]["items"][0]["code"] == "duplicate_id"


@pytest.mark.parametrize("version", ["", "0.95", "1.1", "1.0.3 ", "2.0.0", "1"])
def test_00331_and_00321_the_version_is_needed(lrp: Client, version: str) -> None:
    response = post(lrp, statement(), headers={"X-Experience-API-Version": version})
    assert response.status_code == 400
    assert code(response) in {"missing_version", "unsupported_version"}


@pytest.mark.parametrize("version", ["1.0", "1.0.0", "1.0.3", "1.0.12"])
def test_00331_versions_of_one_are_taken(lrp: Client, amelie: Employee, version: str) -> None:
    assert post(lrp, statement(), headers={"X-Experience-API-Version": version}).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream"])
def test_00127_the_kind_of_body_is_needed(lrp: Client, kind: str) -> None:
    response = lrp.post(URL, json.dumps(statement()), content_type=kind)
    assert (response.status_code, code(response)) == (400, "wrong_content_type")


def test_00128_to_00138_attachments_are_refused_clearly(lrp: Client, laposte: Organisation) -> None:
    response = lrp.post(URL, b"--x\r\n", content_type="multipart/mixed; boundary=x")
    assert (response.status_code, code(response)) == (400, "attachments_refused")
    made = statement(attachments=[])
    assert post(lrp, made).json()["error"]["extra"]["items"][0]["code"] == "attachments_refused"


@pytest.mark.parametrize("query", ["?foo=1", "?StatementId=1", "?statementId=1"])
def test_00324_and_00325_a_strange_parameter_is_refused(lrp: Client, query: str) -> None:
    assert code(post(lrp, statement(), url=URL + query)) == "unknown_parameter"


def test_00336_the_alternate_syntax_is_refused_clearly(lrp: Client) -> None:
    assert code(post(lrp, statement(), url=f"{URL}?method=PUT")) == "alternate_syntax_refused"


@pytest.mark.parametrize("body", ["", "[]", "3", "null", '"text"', "{", "[" * 9_999, '{"id": 1, "id": 2}'])
def test_00014_a_body_that_is_none_is_refused(lrp: Client, body: str) -> None:
    response = lrp.post(URL, body, content_type="application/json")
    assert response.status_code == 400
    assert code(response) in {"not_json", "no_statements", "duplicate_key", "wrong_content_type"}


def test_00327_a_token_without_the_right_is_refused(laposte: Organisation) -> None:
    response = post(sender("organisation:laposte"), statement())
    assert (response.status_code, code(response)) == (403, "permission_denied")


def test_00327_a_token_of_another_organisation_is_refused(
    laposte: Organisation, airbus: Organisation, amelie: Employee
) -> None:
    # Her address is of a domain that La Poste owns: the statement is for La Poste, whoever sends it.
    stranger = sender("completions:write", "organisation:airbus")
    made = statement(context={"extensions": {"http://localhost:8000/xapi/organisation": "laposte"}})
    response = post(stranger, made)
    assert (response.status_code, code(response)) == (403, "organisation_not_allowed")
    assert not facts(laposte)
    assert not UnplacedEvent.objects.exists()


def test_00328_too_much_is_refused_with_the_limit(lrp: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xapi, "MOST_EVENTS", 2)
    response = post(lrp, *[statement() for _ in range(3)])
    assert (response.status_code, code(response)) == (413, "too_large")
    assert response.json()["error"]["extra"] == {"limit": 2}
    monkeypatch.setattr(xapi, "MOST_BYTES", 10)
    assert post(lrp, statement()).json()["error"]["extra"] == {"limit": 10}


@pytest.mark.parametrize("credentials", ["LRP:{}", ":{}", "{}:", "{}"])
def test_basic_carries_the_token_too(laposte: Organisation, amelie: Employee, credentials: str) -> None:
    secret = create_api_token(actor=OPERATOR, name="LRP", scopes=["completions:write"])
    basic = base64.b64encode(credentials.format(secret).encode()).decode()
    client = Client(headers={"Authorization": f"Basic {basic}", **HEADERS})
    assert post(client, statement()).status_code == 200


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Basic bm9uZQ==", "Bearer no", "OAuth x"])
def test_nobody_is_refused(db: None, header: str) -> None:
    client = Client(headers={**HEADERS, **({"Authorization": header} if header else {})})
    response = post(client, statement())
    assert response.status_code == 401
    assert code(response) in {"not_authenticated", "invalid_token"}


def test_00153_and_00156_statements_are_not_given_out(lrp: Client) -> None:
    response = lrp.get(f"{URL}?statementId={uuid.uuid4()}")
    assert (response.status_code, code(response)) == (403, "reading_not_granted")
    assert response["X-Experience-API-Consistent-Through"]


def test_00315_to_00319_about_is_open(db: None) -> None:
    for url in ("/api/v1/xapi/about", "/api/v1/xapi/about/"):
        response = Client().get(url)
        assert (response.status_code, response.json()) == (200, {"version": ["1.0.3"]})
        assert response["X-Experience-API-Version"] == "1.0.3"


# --- Whose, of what, and which step --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        ("initialized", "started"),
        ("attempted", "started"),
        ("progressed", "progressed"),
        ("failed", "progressed"),
        ("completed", "completed"),
        ("https://w3id.org/xapi/adl/verbs/satisfied", "completed"),
        ("passed", "certified"),
        ("http://id.tincanapi.com/verb/earned", "certified"),
    ],
)
def test_verbs_are_steps(lrp: Client, laposte: Organisation, amelie: Employee, verb: str, kind: str) -> None:
    assert post(lrp, statement(verb)).status_code == 200
    assert [fact.kind for fact in facts(laposte)] == [kind]


@pytest.mark.parametrize(
    "changes",
    [
        {"verb": {"id": "http://activitystrea.ms/schema/1.0/like"}},
        {"object": {"objectType": "Agent", "mbox": "mailto:a@b.example"}},
        {"actor": {"objectType": "Group", "member": [{"mbox": "mailto:a@laposte.example"}]}},
    ],
)
def test_what_says_nothing_of_a_step_is_taken(lrp: Client, laposte: Organisation, changes: dict[str, Any]) -> None:
    assert post(lrp, statement(**changes)).status_code == 200
    assert not facts(laposte)


def test_progress_comes_in_the_extension(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    post(lrp, statement("progressed", result={"extensions": {PROGRESS: 40}}))
    assert [fact.progress for fact in facts(laposte)] == [40]
    response = post(lrp, statement("progressed", result={"extensions": {PROGRESS: 140}}))
    assert response.json()["error"]["extra"]["items"][0]["code"] == "bad_progress"


def test_a_part_of_the_course_is_progress(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    part = {
        "object": {"id": "https://platform.example/modules/3"},
        "context": {"contextActivities": {"grouping": [{"id": COURSE}]}},
        "result": {"extensions": {PROGRESS: 100}},
    }
    post(lrp, statement("passed", **part))
    assert [(fact.kind, fact.progress) for fact in facts(laposte)] == [("progressed", None)]


def test_people_are_found_by_reference_number_and_address(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    with organisation_scope(laposte.pk):
        ensure_employee_learners(organisation_id=laposte.pk, employee_ids=[amelie.pk])
        learner = Employee.objects.select_related("learner").get(pk=amelie.pk).learner
    assert learner
    for home, name in (
        ("http://localhost:8000", str(learner.reference)),
        ("http://localhost:8000/", str(learner.reference).upper()),
        ("http://localhost:8000/o/laposte/", "00412877"),
    ):
        assert post(lrp, statement(actor={"account": {"homePage": home, "name": name}})).status_code == 200
    assert {fact.employee_id for fact in facts(laposte)} == {amelie.pk}


def test_an_account_of_the_platforms_waits_at_the_desk(laposte: Organisation, amelie: Employee) -> None:
    system = sender("completions:write", "organisation:laposte")
    account = {"homePage": "https://platform.example", "name": "u-77"}
    assert post(system, statement(actor={"account": account})).status_code == 200
    (fact,) = facts(laposte)
    assert (fact.account, fact.employee_id) == ("https://platform.example u-77", None)


def test_a_statement_for_nobody_we_know_is_refused_and_kept(lrp: Client) -> None:
    response = post(lrp, statement(actor={"openid": "https://someone.example/"}))
    assert response.json()["error"]["extra"]["items"][0]["code"] == "missing_organisation"
    assert UnplacedEvent.objects.count() == 1


def test_a_course_that_nobody_knows_is_kept(lrp: Client, laposte: Organisation, amelie: Employee) -> None:
    made = statement(object={"id": "https://platform.example/courses/objectif-droit"})
    assert post(lrp, made).status_code == 200
    assert post(lrp, made).status_code == 200
    assert UnplacedEvent.objects.get().payload["programme"] == "objectif-droit"


# --- Voiding -------------------------------------------------------------------------------------------------------


@pytest.fixture
def enrolled(laposte: Organisation, amelie: Employee) -> Employee:
    enrol(laposte, make_cohort(laposte), [amelie])
    caught_up(laposte)
    return amelie


def the_state(organisation: Organisation) -> str:
    caught_up(organisation)
    with organisation_scope(organisation.pk):
        return Enrolment.objects.get().state


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_00018_what_is_voided_does_not_count(
    lrp: Client, laposte: Organisation, enrolled: Employee, order: tuple[int, ...]
) -> None:
    started, passed = statement("initialized"), statement("passed")
    sent = (started, passed, voiding(passed["id"]))
    for number in order:
        assert post(lrp, sent[number]).status_code == 200
    assert the_state(laposte) == "active"
    with organisation_scope(laposte.pk):
        assert CompletionEvent.objects.filter(event_id=passed["id"]).exists()


def test_voiding_takes_back_that_one_fact_only(lrp: Client, laposte: Organisation, enrolled: Employee) -> None:
    first, second = statement("passed"), statement("passed", timestamp="2026-10-04T08:00:00Z")
    post(lrp, first, second)
    for _ in range(2):
        assert post(lrp, voiding(first["id"])).status_code == 200
    assert the_state(laposte) == "certified"


def test_00016_a_voiding_statement_cannot_be_voided(lrp: Client, laposte: Organisation, enrolled: Employee) -> None:
    passed = statement("passed")
    void = voiding(passed["id"])
    post(lrp, passed, void)
    post(lrp, voiding(void["id"]))
    assert the_state(laposte) == "enrolled"


def test_who_may_not_write_somewhere_takes_nothing_back_there(
    lrp: Client, laposte: Organisation, airbus: Organisation, enrolled: Employee
) -> None:
    make_employee(airbus, "7")
    passed = statement("passed")
    stranger = sender("completions:write", "organisation:airbus")
    assert post(stranger, voiding(passed["id"])).status_code == 200
    post(lrp, passed)
    assert post(stranger, voiding(passed["id"])).status_code == 200
    assert the_state(laposte) == "certified"
