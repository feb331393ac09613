"""What is said to whoever sends a statement that cannot be taken: one sentence for each code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SENTENCES: dict[str, _StrPromise] = {
    "not_json": _("The body is not JSON in UTF-8."),
    "duplicate_key": _("An object of the body has the same property twice."),
    "too_deep": _("The body is nested too deeply for statements."),
    "no_statements": _("The body holds no statement: an object, or a list of objects, is expected."),
    "null_value": _("A property is null: leave it out instead."),
    "unknown_property": _("A property is not one of xAPI 1.0.3, or not allowed in its place."),
    "missing_property": _("A property that xAPI 1.0.3 requires is missing, or an object is empty."),
    "wrong_type": _("A property has a value of the wrong type."),
    "bad_format": _("A property is not in the form that xAPI 1.0.3 prescribes."),
    "bad_identifier": _(
        "An actor needs exactly one of mbox, mbox_sha1sum, openid and account; a group may have members."
    ),
    "bad_authority": _("An authority that is a group has exactly two members."),
    "bad_score": _("The score lies outside of its own limits."),
    "duplicate_component": _("Two components of an interaction have the same id."),
    "nested_statement": _("A statement within a statement cannot hold another."),
    "voiding_needs_reference": _("A voiding statement has a StatementRef as its object."),
    "attachments_refused": _("Attachments are not received here: send the statement without them."),
    "duplicate_id": _("Two statements of the body have the same id."),
    "missing_version": _("The header X-Experience-API-Version is missing."),
    "unsupported_version": _("X-Experience-API-Version must be 1.0 or 1.0.x."),
    "wrong_content_type": _("Statements are sent as application/json."),
    "unknown_parameter": _("A parameter of the address is not one of xAPI’s for this request."),
    "missing_statement_id": _("A PUT needs the parameter statementId, a UUID."),
    "different_id": _("The statement has another id than the parameter statementId."),
    "alternate_syntax_refused": _("The alternate request syntax is not served: send PUT and POST as such."),
    "reading_not_granted": _("Statements are received here, not given out: no token may read them."),
    "conflict": _("A statement with this id was received before, and it said something else. That one stays."),
    "invalid_statement": _("At least one statement cannot be taken, so that none of this request was recorded."),
}
