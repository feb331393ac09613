"""The XML of workbooks, written anew: only what is known is carried over, under one prefix, as UTF-8."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lxml import etree

from imports.pipeline.issues import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAWING: Final = "http://schemas.openxmlformats.org/drawingml/2006/main"
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Of each namespace, the form of ECMA-376 and that of ISO 29500 ("strict").
SAME: Final = {
    MAIN: MAIN,
    "http://purl.oclc.org/ooxml/spreadsheetml/main": MAIN,
    DRAWING: DRAWING,
    "http://purl.oclc.org/ooxml/drawingml/main": DRAWING,
}
_PREFIXES: Final = {MAIN: "", DRAWING: "a:"}
# Extensions hold whatever their authors wished; pictures are parts that are not carried over.
_NEVER: Final = frozenset({"extLst", "blip"})
# All other elements outside of cells speak through their attributes; text in them belongs to nobody.
_TEXTUAL: Final = frozenset({"formula", "formula1", "formula2"})
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})
_ATTRIBUTE: Final = _TEXT | str.maketrans({"\n": "&#10;", "\t": "&#9;"})
_ROUGH: Final = re.compile("[^\n\x20!#-%'-;=?-\ud7ff\ue000-\ufffd]")


def printable(text: str) -> str:
    """Return the text with a mark for every sign that XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def escaped(text: str) -> str:
    """Return a text as it stands between tags."""
    return printable(text).translate(_TEXT) if _ROUGH.search(text) else text


def quoted(text: str) -> str:
    """Return a text as it stands in an attribute."""
    return printable(text).translate(_ATTRIBUTE)


def literal(text: str) -> str:
    """Return a text as workbooks store it: _x0041_ would be read as the letter A if it were not escaped."""
    return _ESCAPE.sub("_x005F_", text) if "_x" in text else text


def shown_string(text: str) -> str:
    """Return the element of a cell's text."""
    return f'<t xml:space="preserve">{escaped(literal(text))}</t>'


def parsed(content: bytes) -> etree._Element:
    """Parse a small part; one that is no XML, or that declares entities, is refused."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise UnreadableFile("damaged") from None
    # The kind of a document is declared before its root, and entities there.
    declared: str = root.getroottree().docinfo.doctype  # type: ignore[union-attr]  # the stubs leave it out
    if declared:
        raise UnreadableFile("damaged")
    return root


def tag(element: etree._Element) -> str:
    """The name of an element with its namespace; comments and instructions have none."""
    name: object = element.tag
    return name if isinstance(name, str) else ""


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return tag(element).rpartition("}")[2]


def namespace_of(element: etree._Element) -> str | None:
    """The namespace of an element, if it is one that is carried over."""
    return SAME.get(tag(element)[1:].partition("}")[0])


def attributes_of(element: etree._Element) -> dict[str, str]:
    """The attributes of an element, as text."""
    return {str(key): str(value) for key, value in element.items()}


def known(element: etree._Element) -> Iterator[etree._Element]:
    """Yield the children whose namespace belongs to workbooks and whose kind is carried over."""
    for child in element:
        if namespace_of(child) is not None and local(child) not in _NEVER:
            yield child


def rewritten(element: etree._Element, *, attributes: str = "") -> str:
    """Return an element as text: no foreign namespace, no reference to another part, no comment."""
    name = _PREFIXES[namespace_of(element) or MAIN] + local(element)
    own = "".join(
        f' {key}="{quoted(value)}"' for key, value in attributes_of(element).items() if not key.startswith("{")
    )
    text = escaped(element.text or "") if local(element) in _TEXTUAL else ""
    content = text + "".join(rewritten(child) for child in known(element))
    return f"<{name}{attributes}{own}>{content}</{name}>" if content else f"<{name}{attributes}{own}/>"
