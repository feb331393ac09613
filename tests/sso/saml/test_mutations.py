"""No change of a signed response signs in another person: it is refused, or it changes nothing that we read.

First every change of every single node, then what chance makes of several.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from sso.saml.config import IdentityProvider, ServiceProvider
from sso.saml.errors import SAMLError
from sso.saml.response import VerifiedAssertion, verify_response
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MESSAGE = kit.Message(
    attributes=(("mail", ("claire@laposte.example",)), ("employeeNumber", ("00412877",)), ("role", ("a", "b")))
)
SIGNED = {what: kit.signed(MESSAGE, what=what) for what in ("assertion", "response", "both")}
STRANGER = kit.signed(
    kit.Message(name_id="attacker", assertion_id="_evil", response_id="_evil-response"),
    what="both",
    how=kit.Signature(by=kit.keys("attacker")),
)
OURS = kit.keys("portal")
SP = ServiceProvider(
    kit.SP_ENTITY_ID, kit.ACS_URL, kit.SLS_URL, private_key_pem=OURS.private_pem, certificate_pem=OURS.certificate_pem
)
IDP = IdentityProvider(kit.IDP_ENTITY_ID, kit.SSO_URL, (kit.keys("idp").certificate_pem,))


def verified(response: etree._Element) -> VerifiedAssertion | None:
    """Return what is read of a response, or None when it is refused; anything else that is raised is a failure."""
    try:
        return verify_response(kit.encode(response), sp=SP, idp=IDP, request_id=kit.REQUEST_ID, now=kit.NOW)
    except SAMLError:
        return None


EXPECTED = {what: verified(response) for what, response in SIGNED.items()}


def nodes(response: etree._Element) -> list[etree._Element]:
    return list(response.iter())


def changes_of(response: etree._Element, index: int) -> Iterator[tuple[str, etree._Element]]:
    """Yield every response that differs in what this one node is or where it stands."""

    def variant(change: Callable[[etree._Element, etree._Element], object]) -> etree._Element:
        changed = copy.deepcopy(response)
        change(nodes(changed)[index], changed)
        return changed

    node = nodes(response)[index]
    yield "text", variant(lambda found, _: setattr(found, "text", "attacker"))
    yield "more text", variant(lambda found, _: setattr(found, "text", f"{found.text or ''}x"))
    yield "element inside", variant(lambda found, _: etree.SubElement(found, "{urn:x}x"))
    yield "comment inside", variant(lambda found, _: found.append(etree.Comment("x")))
    yield "instruction inside", variant(lambda found, _: found.append(etree.ProcessingInstruction("x")))
    yield "emptied", variant(lambda found, _: found.clear())
    yield "renamed", variant(lambda found, _: setattr(found, "tag", f"{found.tag}x"))
    yield "another attribute", variant(lambda found, _: found.set("x", "y"))
    for name in map(str, node.attrib):
        for value in ("attacker", "", f"{node.attrib[name]!s}x"):
            yield f"{name} = {value}", variant(partial(_set, name, value))
        yield f"without {name}", variant(partial(_drop, name))
    if node.getparent() is None:
        return
    yield "tail", variant(lambda found, _: setattr(found, "tail", "x"))
    yield "removed", variant(lambda found, _: _parent(found).remove(found))
    yield "doubled before", variant(lambda found, _: found.addprevious(copy.deepcopy(found)))
    yield "doubled at the end", variant(lambda found, _: _parent(found).append(copy.deepcopy(found)))
    yield "wrapped", variant(_wrap)


def moves_of(response: etree._Element, index: int) -> Iterator[tuple[str, etree._Element]]:
    """Yield the response with this node moved, or copied, into every other node."""
    for target in range(len(nodes(response))):
        for copied in (False, True):
            changed = copy.deepcopy(response)
            found = nodes(changed)[index]
            into = nodes(changed)[target]
            if found in into.iterancestors() or found is into:
                continue
            into.append(copy.deepcopy(found) if copied else found)
            yield f"{'copied' if copied else 'moved'} into {target}", changed


def _parent(node: etree._Element) -> etree._Element:
    parent = node.getparent()
    assert parent is not None
    return parent


def _set(name: str, value: str, node: etree._Element, _root: etree._Element) -> None:
    node.set(name, value)


def _drop(name: str, node: etree._Element, _root: etree._Element) -> None:
    node.attrib.pop(name)


def _wrap(node: etree._Element, _root: etree._Element) -> None:
    holder = etree.Element("{urn:x}x")
    _parent(node).replace(node, holder)
    holder.append(node)


@pytest.mark.parametrize("what", SIGNED)
def test_every_change_of_one_node_is_refused_or_changes_nothing(what: str) -> None:
    response, expected = SIGNED[what], EXPECTED[what]
    assert expected is not None
    accepted = 0
    for index in range(len(nodes(response))):
        for change, changed in changes_of(response, index):
            found = verified(changed)
            assert found is None or found == expected, (index, change)
            accepted += found is not None
    # Something may change around what is signed: a test in which nothing ever passed would prove nothing.
    assert accepted > 0


def test_no_move_of_a_node_changes_the_person() -> None:
    response, expected = SIGNED["assertion"], EXPECTED["assertion"]
    for index in range(1, len(nodes(response))):
        for move, moved in moves_of(response, index):
            found = verified(moved)
            assert found is None or found == expected, (index, move)


@pytest.mark.parametrize("what", SIGNED)
def test_no_part_of_a_strangers_message_replaces_a_part(what: str) -> None:
    """Each element exchanged for that of a message of the attacker's own, signed by the attacker's own key."""
    theirs: dict[str, list[etree._Element]] = {}
    for node in nodes(STRANGER):
        theirs.setdefault(str(node.tag), []).append(node)
    response, expected = SIGNED[what], EXPECTED[what]
    for index in range(1, len(nodes(response))):
        for other in theirs.get(str(nodes(response)[index].tag), []):
            changed = copy.deepcopy(response)
            found = nodes(changed)[index]
            _parent(found).replace(found, copy.deepcopy(other))
            result = verified(changed)
            assert result is None or result == expected, (index, other.tag)


@settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data(), what=st.sampled_from(sorted(SIGNED)))
def test_no_chain_of_changes_changes_the_person(data: st.DataObject, what: str) -> None:
    changed = copy.deepcopy(SIGNED[what])
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(nodes(changed)) - 1))
        options = [change for _, change in changes_of(changed, index)]
        changed = options[data.draw(st.integers(0, len(options) - 1))]
    found = verified(changed)
    assert found is None or found == EXPECTED[what]


@settings(deadline=None, max_examples=300, derandomize=True)
@given(data=st.data())
def test_no_change_of_bytes_changes_the_person(data: st.DataObject) -> None:
    xml = bytearray(etree.tostring(SIGNED["both"]))
    for _ in range(data.draw(st.integers(1, 5))):
        xml[data.draw(st.integers(0, len(xml) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = verify_response(kit.encode_text(bytes(xml)), sp=SP, idp=IDP, request_id=kit.REQUEST_ID, now=kit.NOW)
    except SAMLError:
        return
    assert found == EXPECTED["both"]
