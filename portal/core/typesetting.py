"""Documents as PDF that a screen reader reads (PDF/UA-1): set by Typst, from a template beside those of the pages.

Nothing is fetched and no font of the machine is used: what the library brings is enough for Latin, Greek and Cyrillic.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import qrcode
import typst
from django.conf import settings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

TEMPLATES: Final = Path(settings.BASE_DIR) / "templates"


def typeset(template: str, words: Mapping[str, Any], *, at: dt.datetime) -> bytes:
    """Return the PDF of a template under `templates/`, which reads `words` as JSON from `sys.inputs`.

    The same words at the same moment give the same bytes. A name in a script without a font here cannot be PDF/UA: it
    is set all the same, with boxes where its letters are, rather than refused to whoever bears it.
    """
    compiler: dict[str, Any] = {
        "root": str(TEMPLATES),
        "ignore_system_fonts": True,
        "sys_inputs": {"words": json.dumps(words)},
        "timestamp": at.replace(microsecond=0),
    }
    source = str(TEMPLATES / template)
    try:
        return bytes(typst.compile(source, pdf_standards="ua-1", **compiler))
    except typst.TypstError:
        return bytes(typst.compile(source, **compiler))


def qr_picture(text: str) -> str:
    """Return a QR code as SVG, drawn as one path: sharp at any size, and one thing to describe."""
    code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make()
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path d="{path}" fill="#16203a"/></svg>'
    )
