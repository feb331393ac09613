"""A message made readable for an administrator: indented, within limits, and never interpreted."""

from __future__ import annotations

from typing import Final

from lxml import etree

LONGEST_SHOWN: Final = 100_000


def readable(message: bytes) -> tuple[str, bool]:
    """Return a message as text, indented when it is XML, and whether all of it is there.

    It was refused for a reason: nothing of it is resolved, fetched or expanded, and what is no XML is shown as it is.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(message, parser)
        etree.indent(tree)
        text = etree.tostring(tree.getroottree(), encoding="unicode")
    except (etree.XMLSyntaxError, ValueError):
        text = message.decode("utf-8", errors="replace")
    text = "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text[: LONGEST_SHOWN + 1])
    return text[:LONGEST_SHOWN], len(text) <= LONGEST_SHOWN
