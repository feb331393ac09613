"""The rules on a statement's properties, each under the number that the public conformance requirements give it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.progress.platforms.xapi.reading import read_body
from portal.progress.platforms.xapi.statements import StatementError, check_statement
from portal.progress.platforms.xapi.words import SENTENCES
from tests.factories.statements import COURSE, statement

AGENT = {"mbox": "mailto:a@laposte.example"}
ACCOUNT = {"homePage": "https://platform.example", "name": "7"}
PART = {"objectType": "SubStatement", "actor": AGENT, "verb": {"id": "urn:x:did"}, "object": {"id": COURSE}}
ATTACHMENT = {
    "usageType": "urn:x:proof",
    "display": {"fr": "Preuve"},
    "contentType": "text/plain",
    "length": 3,
    "sha2": "a" * 64,
}


def wrong(found: Any) -> str:
    with pytest.raises(StatementError) as refused:
        check_statement(found)
    assert str(SENTENCES[refused.value.code])
    return refused.value.code


def activity(**definition: Any) -> dict[str, Any]:
    return {"id": COURSE, "definition": definition}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("00001 null", {"result": {"response": None}}, "null_value"),
    ("00001 empty object", {"result": {}}, "missing_property"),
    ("00003 actor", {"actor": ...}, "missing_property"),
    ("00004 verb", {"verb": ...}, "missing_property"),
    ("00005 object", {"object": ...}, "missing_property"),
    ("00006 type", {"actor": "amelie"}, "wrong_type"),
    ("00007 empty text", {"verb": {"id": ""}}, "bad_format"),
    ("00008 case of a key", {"Result": {"success": True}}, "unknown_property"),
    ("00009 case of a value", {"object": {"objectType": "activity", "id": COURSE}}, "bad_format"),
    ("00010 unknown key", {"iD": "x"}, "unknown_property"),
    ("00011 no scheme", {"object": {"id": "programmes/objectif-ia"}}, "bad_format"),
    ("00013 language tag", {"verb": {"id": "urn:x:did", "display": {"français": "fait"}}}, "bad_format"),
    ("00017 voiding", {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}}, "voiding_needs_reference"),
    ("00022 timestamp", {"timestamp": "yesterday"}, "bad_format"),
    ("00023 stored", {"stored": "yesterday"}, "bad_format"),
    ("00024 authority", {"authority": {"name": "someone"}}, "bad_identifier"),
    ("00025 attachments", {"attachments": {}}, "wrong_type"),
    ("00027 id", {"id": "12345678-1234-1234-1234-123456789012"}, "bad_format"),
    ("00028 id is a text", {"id": 7}, "wrong_type"),
    ("00029 standard form", {"id": uuid.uuid4().hex}, "bad_format"),
    ("00030 variant", {"id": "12345678-1234-4234-c234-123456789012"}, "bad_format"),
    ("00031 actor's type", {"actor": {"objectType": "Person", **AGENT}}, "bad_format"),
    ("00032 type is a text", {"actor": {"objectType": 3, **AGENT}}, "wrong_type"),
    ("00033 name", {"actor": {"name": 3, **AGENT}}, "wrong_type"),
    ("00034 no identifier", {"actor": {"name": "Amélie"}}, "bad_identifier"),
    ("00034 two identifiers", {"actor": {**AGENT, "openid": "https://a.example"}}, "bad_identifier"),
    ("00035 member of an agent", {"actor": {**AGENT, "member": [AGENT]}}, "unknown_property"),
    ("00036 members", {"actor": {"objectType": "Group", "member": [{"name": "x"}]}}, "bad_identifier"),
    ("00037 empty group", {"actor": {"objectType": "Group", "member": []}}, "bad_identifier"),
    ("00037 two identifiers", {"actor": {"objectType": "Group", **AGENT, "account": ACCOUNT}}, "bad_identifier"),
    ("00038 mbox", {"actor": {"mbox": "a@laposte.example"}}, "bad_format"),
    ("00039 mbox_sha1sum", {"actor": {"mbox_sha1sum": "abc"}}, "bad_format"),
    ("00040 openid", {"actor": {"openid": "me"}}, "bad_format"),
    ("00041 account", {"actor": {"account": "me"}}, "wrong_type"),
    ("00042 homePage", {"actor": {"account": {"homePage": "here", "name": "7"}}}, "bad_format"),
    ("00042 no homePage", {"actor": {"account": {"name": "7"}}}, "missing_property"),
    ("00043 name", {"actor": {"account": {"homePage": "https://a.example"}}}, "missing_property"),
    ("00044 verb's id", {"verb": {"display": {"fr": "fait"}}}, "missing_property"),
    ("00045 display", {"verb": {"id": "urn:x:did", "display": "fait"}}, "wrong_type"),
    ("00046 object's type", {"object": {"objectType": "Thing", "id": COURSE}}, "bad_format"),
    ("00047 activity's id", {"object": {"objectType": "Activity"}}, "missing_property"),
    ("00048 definition", {"object": {"id": COURSE, "definition": "course"}}, "wrong_type"),
    ("00049 interactionType", {"object": activity(interactionType="guess")}, "bad_format"),
    ("00050 pattern", {"object": activity(interactionType="choice", correctResponsesPattern="a")}, "wrong_type"),
    ("00051 steps", {"object": activity(interactionType="performance", steps="a")}, "wrong_type"),
    ("00052 target", {"object": activity(interactionType="matching", target=[3])}, "wrong_type"),
    ("00053 source", {"object": activity(interactionType="matching", source={})}, "wrong_type"),
    ("00054 scale", {"object": activity(interactionType="likert", scale=["a"])}, "wrong_type"),
    (
        "00055 choices",
        {"object": activity(interactionType="choice", choices=[{"description": {}}])},
        "missing_property",
    ),
    ("00056 name", {"object": activity(name="cours")}, "wrong_type"),
    ("00057 extensions", {"object": activity(extensions=[1])}, "wrong_type"),
    ("00058 twice", {"object": activity(interactionType="choice", choices=[{"id": "a"}] * 2)}, "duplicate_component"),
    ("00059 description", {"object": activity(description={"fr": 3})}, "wrong_type"),
    ("00060 type", {"object": activity(type="course")}, "bad_format"),
    ("00061 moreInfo", {"object": activity(moreInfo="here")}, "bad_format"),
    ("00064 no interactionType", {"object": activity(correctResponsesPattern=["a"])}, "missing_property"),
    ("00065 agent without type", {"object": {"mbox": "mailto:a@b.example"}}, "missing_property"),
    ("00066 sub-statement", {"object": {**PART, "verb": {}}}, "missing_property"),
    ("00067 its authority", {"object": {**PART, "authority": AGENT}}, "unknown_property"),
    ("00068 its version", {"object": {**PART, "version": "1.0.3"}}, "unknown_property"),
    ("00069 its stored", {"object": {**PART, "stored": "2026-10-05T08:00:00Z"}}, "unknown_property"),
    ("00070 its id", {"object": {**PART, "id": str(uuid.uuid4())}}, "unknown_property"),
    ("00071 nested", {"object": {**PART, "object": PART}}, "nested_statement"),
    ("00072 reference", {"object": {"objectType": "StatementRef", "id": "7"}}, "bad_format"),
    ("00073 reference without type", {"object": {"id": str(uuid.uuid4())}}, "bad_format"),
    ("00074 success", {"result": {"success": "yes"}}, "wrong_type"),
    ("00075 completion", {"result": {"completion": 1}}, "wrong_type"),
    ("00076 response", {"result": {"response": 1}}, "wrong_type"),
    ("00077 duration", {"result": {"duration": "1 hour"}}, "bad_format"),
    ("00078 extensions", {"result": {"extensions": "x"}}, "wrong_type"),
    ("00079 score", {"result": {"score": 3}}, "wrong_type"),
    ("00080 max", {"result": {"score": {"min": 3, "max": 2}}}, "bad_score"),
    ("00081 min", {"result": {"score": {"min": "3"}}}, "wrong_type"),
    ("00082 raw", {"result": {"score": {"raw": 11, "max": 10}}}, "bad_score"),
    ("00083 scaled", {"result": {"score": {"scaled": 1.01}}}, "bad_score"),
    ("00084 revision", {"object": {"objectType": "Agent", **AGENT}, "context": {"revision": "1"}}, "unknown_property"),
    ("00085 platform", {"object": {"objectType": "Agent", **AGENT}, "context": {"platform": "x"}}, "unknown_property"),
    ("00086 contextActivities", {"context": {"contextActivities": []}}, "wrong_type"),
    ("00087 registration", {"context": {"registration": "7"}}, "bad_format"),
    ("00087 instructor", {"context": {"instructor": {"name": "x"}}}, "bad_identifier"),
    ("00088 team", {"context": {"team": AGENT}}, "missing_property"),
    ("00089 revision", {"context": {"revision": 1}}, "wrong_type"),
    ("00090 platform", {"context": {"platform": 1}}, "wrong_type"),
    ("00091 language", {"context": {"language": "l'accent"}}, "bad_format"),
    ("00092 statement", {"context": {"statement": {"id": str(uuid.uuid4())}}}, "missing_property"),
    ("00093 key", {"context": {"contextActivities": {"children": [{"id": COURSE}]}}}, "unknown_property"),
    ("00094 value", {"context": {"contextActivities": {"parent": [{"name": "x"}]}}}, "missing_property"),
    ("00095 empty", {"context": {"contextActivities": {}}}, "missing_property"),
    ("00098 authority", {"authority": {"objectType": "Group", "member": [AGENT]}}, "bad_authority"),
    ("00100 authority", {"authority": {"objectType": "Group", "member": [AGENT] * 3}}, "bad_authority"),
    ("00101 version", {"version": "1.1.0"}, "bad_format"),
    ("00102 length", {"attachments": [{**ATTACHMENT, "length": "3"}]}, "wrong_type"),
    ("00103 sha2", {"attachments": [{**ATTACHMENT, "sha2": "x"}]}, "bad_format"),
    ("00104 fileUrl", {"attachments": [{**ATTACHMENT, "fileUrl": "here"}]}, "bad_format"),
    ("00105 contentType", {"attachments": [{**ATTACHMENT, "contentType": "text"}]}, "bad_format"),
    ("00106 display", {"attachments": [{**ATTACHMENT, "display": "x"}]}, "wrong_type"),
    ("00107 usageType", {"attachments": [{**ATTACHMENT, "usageType": "x"}]}, "bad_format"),
    ("00118 extension's key", {"result": {"extensions": {"progress": 1}}}, "bad_format"),
    ("00123 timestamp", {"timestamp": "2026-10-05"}, "bad_format"),
    ("00123 unknown zone", {"timestamp": "2026-10-05T08:00:00-00:00"}, "bad_format"),
    ("00124 duration", {"result": {"duration": "P0003-06-04T12:30:05"}}, "bad_format"),
]


@pytest.mark.parametrize(("changes", "code"), [item[1:] for item in REFUSED], ids=[item[0] for item in REFUSED])
def test_it_is_refused(changes: dict[str, Any], code: str) -> None:
    assert wrong(statement(**changes)) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ...},
        {"timestamp": ...},
        {"timestamp": "20261005T080000.1234567Z"},
        {"timestamp": "2026-10-05T08:00:00.123456789+02:00"},
        {"actor": {"mbox_sha1sum": "a" * 40}},
        {"actor": {"openid": "https://a.example/"}},
        {"actor": {"objectType": "Agent", "name": "Amélie", "account": ACCOUNT}},
        {"actor": {"objectType": "Group", "member": [AGENT]}},
        {"actor": {"objectType": "Group", "account": ACCOUNT}},
        {"object": {"objectType": "Agent", **AGENT}},
        {"object": PART},
        {"object": {"objectType": "StatementRef", "id": str(uuid.uuid4())}},
        {"object": activity(name={"fr-FR": "Cours"}, extensions={"urn:x:any": None})},
        {"object": activity(interactionType="choice", choices=[{"id": "a"}, {"id": "b", "description": {"und": "b"}}])},
        {"result": {"success": True, "score": {"scaled": -1, "raw": 5, "min": 0, "max": 10}, "duration": "PT1H0.5S"}},
        {"result": {"duration": "P4W", "extensions": {"urn:x:a": {}, "urn:x:b": "", "urn:x:c": None}}},
        {"result": {"extensions": {}}},
        {"context": {"registration": str(uuid.uuid4()), "contextActivities": {"parent": {"id": COURSE}}}},
        {"context": {"instructor": {"objectType": "Group", "member": [AGENT]}, "language": "fr-CA"}},
        {"authority": {"objectType": "Group", "member": [AGENT, {"account": ACCOUNT}]}, "version": "1.0.9"},
        {"attachments": [{**ATTACHMENT, "description": {"fr": "x"}, "fileUrl": "https://a.example/b"}]},
    ],
)
def test_it_is_a_statement(changes: dict[str, Any]) -> None:
    assert check_statement(statement(**changes))


@pytest.mark.parametrize("thing", [None, 3, "statement", [], {}, [statement()]])
def test_what_is_no_object_is_no_statement(thing: object) -> None:
    assert wrong(thing) in {"wrong_type", "missing_property"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"id": "a", "id": "b"}', "duplicate_key"),
        (b'{"actor": {"mbox": "a", "mbox": "b"}}', "duplicate_key"),
        (b"{", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": "\xe9"}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[" * 60 + b"]" * 60, "too_deep"),
    ],
)
def test_00021_and_00014_the_body_is_read_strictly(body: bytes, code: str) -> None:
    with pytest.raises(StatementError) as refused:
        read_body(body)
    assert refused.value.code == code


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["actor", "verb", "object", "result", "context", "authority", "attachments", "id"]), _VALUES)
def test_whatever_stands_in_a_property_there_is_an_answer(name: str, value: object) -> None:
    try:
        found = check_statement(statement(**{name: value}))
    except StatementError as refused:
        assert refused.code in SENTENCES  # noqa: PT017  Either is an answer.
    else:
        assert json.dumps(found)
