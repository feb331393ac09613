"""What a statement may look like: every rule of xAPI 1.0.3 on its properties, as a table of shapes. Pure Python.

A shape says of each property of an object what its value must be; what is not in the shape is not allowed, and null
is allowed nowhere but inside of extensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from portal.progress.platforms.xapi import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[Any, str], None]

MOST_DEPTH: Final = 40
_IDENTIFIERS: Final = ("mbox", "mbox_sha1sum", "openid", "account")
_INTERACTIONS: Final = frozenset(
    ("true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing", "likert", "numeric")
) | {"other"}
VOIDED: Final = "http://adlnet.gov/expapi/verbs/voided"


class StatementError(ValueError):
    """This is no statement. `code` is stable; `where` is the property, as a path."""

    def __init__(self, code: str, where: str) -> None:
        super().__init__(code)
        self.code, self.where = code, where


def check_statement(statement: object) -> dict[str, Any]:
    """Return the statement, which keeps every rule.

    Raises:
        StatementError: with the first rule that it breaks, and where.
    """
    checked = _object(statement, "")
    _shape(checked, "", _STATEMENT, needed=("actor", "verb", "object"))
    _check_uses(checked, "")
    if checked["verb"]["id"] == VOIDED and checked["object"].get("objectType") != "StatementRef":
        raise StatementError("voiding_needs_reference", "object.objectType")
    return checked


def _check_uses(statement: Mapping[str, Any], where: str) -> None:
    """Revision and platform say something of an activity: with another object they mean nothing."""
    context = statement.get("context", {})
    if statement["object"].get("objectType", "Activity") != "Activity":
        for name in ("revision", "platform"):
            if name in context:
                raise StatementError("unknown_property", f"{where}context.{name}")


def _shape(found: Mapping[str, Any], where: str, shape: Mapping[str, Check], needed: tuple[str, ...] = ()) -> None:
    for name in needed:
        if name not in found:
            raise StatementError("missing_property", f"{where}{name}")
    for name, value in found.items():
        check = shape.get(name)
        if check is None:
            raise StatementError("unknown_property", f"{where}{name}"[:100])
        if value is None:
            raise StatementError("null_value", f"{where}{name}")
        check(value, f"{where}{name}")


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StatementError("wrong_type", where or "statement")
    if not value:
        raise StatementError("missing_property", where or "statement")
    return value


def _text(value: object, where: str) -> None:
    if not isinstance(value, str):
        raise StatementError("wrong_type", where)


def _formatted(test: Callable[[str], bool]) -> Check:
    def check(value: object, where: str) -> None:
        _text(value, where)
        if not test(str(value)):
            raise StatementError("bad_format", where)

    return check


def _one_of(*allowed: str) -> Check:
    return _formatted(frozenset(allowed).__contains__)


def _boolean(value: object, where: str) -> None:
    if not isinstance(value, bool):
        raise StatementError("wrong_type", where)


def _number(value: object, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124  Not a number.
        raise StatementError("wrong_type", where)


def _whole(value: object, where: str) -> None:
    if type(value) is not int or value < 0:
        raise StatementError("wrong_type", where)


def _each(check: Check) -> Check:
    def check_all(value: object, where: str) -> None:
        if not isinstance(value, list):
            raise StatementError("wrong_type", where)
        for number, item in enumerate(value):
            check(item, f"{where}[{number}]")

    return check_all


def _language_map(value: object, where: str) -> None:
    if not isinstance(value, dict):
        raise StatementError("wrong_type", where)
    for name, said in value.items():
        if not formats.is_language(name):
            raise StatementError("bad_format", where)
        _text(said, where)


def _extensions(value: object, where: str) -> None:
    """Anything may stand in an extension, under a name that is an IRI."""
    if not isinstance(value, dict):
        raise StatementError("wrong_type", where)
    if not all(map(formats.is_iri, value)):
        raise StatementError("bad_format", where)


def _shaped(shape: Mapping[str, Check], *needed: str) -> Check:
    def check(value: object, where: str) -> None:
        _shape(_object(value, where), f"{where}.", shape, needed)

    return check


def _components(value: object, where: str) -> None:
    _each(_shaped({"id": _filled, "description": _language_map}, "id"))(value, where)
    assert isinstance(value, list)
    if len({item["id"] for item in value}) < len(value):
        raise StatementError("duplicate_component", where)


def _filled(value: object, where: str) -> None:
    _formatted(bool)(value, where)


def _agent(value: object, where: str) -> None:
    found = _object(value, where)
    _shape(found, f"{where}.", _AGENT)
    if sum(name in found for name in _IDENTIFIERS) != 1:
        raise StatementError("bad_identifier", where)


def _group(value: object, where: str) -> None:
    """A group is known by one identifier, or by its members."""
    found = _object(value, where)
    _shape(found, f"{where}.", _GROUP, ("objectType",))
    identifiers = sum(name in found for name in _IDENTIFIERS)
    if identifiers > 1 or (not identifiers and not found.get("member")):
        raise StatementError("bad_identifier", where)


def _actor(value: object, where: str) -> None:
    found = _object(value, where)
    (_group if found.get("objectType") == "Group" else _agent)(found, where)


def _authority(value: object, where: str) -> None:
    _actor(value, where)
    assert isinstance(value, dict)
    if value.get("objectType") == "Group" and (len(value.get("member", ())) != 2 or value.keys() & set(_IDENTIFIERS)):
        raise StatementError("bad_authority", where)


def _score(value: object, where: str) -> None:
    _shaped(dict.fromkeys(("scaled", "raw", "min", "max"), _number))(value, where)
    assert isinstance(value, dict)
    low, high, raw = value.get("min"), value.get("max"), value.get("raw")
    fits = (
        -1 <= value.get("scaled", 0) <= 1
        and (low is None or high is None or low < high)
        and (raw is None or low is None or raw >= low)
        and (raw is None or high is None or raw <= high)
    )
    if not fits:
        raise StatementError("bad_score", where)


def _definition(value: object, where: str) -> None:
    _shaped(_DEFINITION)(value, where)
    assert isinstance(value, dict)
    about_interaction = {"correctResponsesPattern", "choices", "scale", "source", "target", "steps"}
    if "interactionType" not in value and value.keys() & about_interaction:
        raise StatementError("missing_property", f"{where}.interactionType")


def _activity(value: object, where: str) -> None:
    _shaped(_ACTIVITY, "id")(value, where)


def _activities(value: object, where: str) -> None:
    if isinstance(value, list):
        _each(_activity)(value, where)
    else:
        _activity(value, where)


def _reference(value: object, where: str) -> None:
    _shaped({"objectType": _one_of("StatementRef"), "id": _uuid}, "objectType", "id")(value, where)


def _sub_statement(value: object, where: str) -> None:
    found = _object(value, where)
    _shape(found, f"{where}.", _SUB_STATEMENT, ("actor", "verb", "object"))
    if isinstance(found["object"], dict) and found["object"].get("objectType") == "SubStatement":
        raise StatementError("nested_statement", f"{where}.object")
    _check_uses(found, f"{where}.")


def _target(value: object, where: str) -> None:
    found = _object(value, where)
    kind = found.get("objectType", "Activity")
    check = _TARGETS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise StatementError("bad_format", f"{where}.objectType")
    check(found, where)


def _attachment(value: object, where: str) -> None:
    _shaped(_ATTACHMENT, "usageType", "display", "contentType", "length", "sha2")(value, where)


_iri, _uuid = _formatted(formats.is_iri), _formatted(formats.is_uuid)
_account = _shaped({"homePage": _iri, "name": _filled}, "homePage", "name")
_NAMED: Final[dict[str, Check]] = {
    "name": _text,
    "mbox": _formatted(formats.is_mailbox),
    "mbox_sha1sum": _formatted(formats.is_sha1),
    "openid": _iri,
    "account": _account,
}
_AGENT: Final = {"objectType": _one_of("Agent"), **_NAMED}
_GROUP: Final = {"objectType": _one_of("Group"), "member": _each(_agent), **_NAMED}
_VERB: Final = {"id": _iri, "display": _language_map}
_DEFINITION: Final[dict[str, Check]] = {
    "name": _language_map,
    "description": _language_map,
    "type": _iri,
    "moreInfo": _iri,
    "extensions": _extensions,
    "interactionType": _one_of(*_INTERACTIONS),
    "correctResponsesPattern": _each(_text),
    **dict.fromkeys(("choices", "scale", "source", "target", "steps"), _components),
}
_ACTIVITY: Final = {"objectType": _one_of("Activity"), "id": _iri, "definition": _definition}
_RESULT: Final[dict[str, Check]] = {
    "score": _score,
    "success": _boolean,
    "completion": _boolean,
    "response": _text,
    "duration": _formatted(formats.is_duration),
    "extensions": _extensions,
}
_CONTEXT: Final[dict[str, Check]] = {
    "registration": _uuid,
    "instructor": _actor,
    "team": _group,
    "contextActivities": _shaped(dict.fromkeys(("parent", "grouping", "category", "other"), _activities)),
    "revision": _text,
    "platform": _text,
    "language": _formatted(formats.is_language),
    "statement": _reference,
    "extensions": _extensions,
}
_ATTACHMENT: Final[dict[str, Check]] = {
    "usageType": _iri,
    "display": _language_map,
    "description": _language_map,
    "contentType": _formatted(formats.is_media_type),
    "length": _whole,
    "sha2": _formatted(formats.is_sha2),
    "fileUrl": _iri,
}
_MOMENT: Final = _formatted(lambda text: formats.moment(text) is not None)
_SAID: Final[dict[str, Check]] = {
    "actor": _actor,
    "verb": _shaped(_VERB, "id"),
    "object": _target,
    "result": _shaped(_RESULT),
    "context": _shaped(_CONTEXT),
    "timestamp": _MOMENT,
    "attachments": _each(_attachment),
}
_SUB_STATEMENT: Final = {"objectType": _one_of("SubStatement"), **_SAID}
_STATEMENT: Final = {
    "id": _uuid,
    "stored": _MOMENT,
    "authority": _authority,
    "version": _formatted(formats.is_version),
    **_SAID,
}
_TARGETS: Final[dict[str, Check]] = {
    "Activity": _activity,
    "Agent": _agent,
    "Group": _group,
    "StatementRef": _reference,
    "SubStatement": _sub_statement,
}
