"""Pictures of where to click: drawn here, in the reader's language, and in nobody's livery.

A picture is a window: the path of clicks at its top, then a panel with the fields that matter. A numbered badge stands
where the value of the same number is pasted. Colours come from the style sheet, so that a picture follows the scheme
of the page; lengths are attributes, as the content security policy asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.utils.functional import _StrOrPromise

_WIDTH: Final = 440
_MARGIN: Final = 20
_LINE: Final = 20
_SIGNS: Final = 46
"""How many signs of the path fit on a line."""


@dataclass(frozen=True, slots=True)
class Row:
    """A field of the panel: its label, and the number of the value that goes there or the text that it shows.

    `take` marks the field whose content is copied out rather than pasted in.
    """

    label: _StrOrPromise
    mark: int = 0
    shows: _StrOrPromise = ""
    take: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    path: Sequence[_StrOrPromise]
    rows: Sequence[Row]
    button: _StrOrPromise = ""


def drawn(picture: Picture) -> SafeString:
    """Return the picture as SVG, with the same in words for whoever does not see it."""
    lines = _wrapped([str(part) for part in picture.path])
    top = 46 + _LINE * len(lines) + 14
    parts = [_frame(top, _height(picture, top)), _path(lines)]
    y = top + 20
    for row in picture.rows:
        parts.append(_row(row, y))
        y += 62
    if picture.button:
        parts.append(_button(str(picture.button), y))
    return format_html(
        '<svg class="picture" viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}">{}</svg>',
        _WIDTH,
        _height(picture, top),
        _WIDTH,
        described(picture),
        format_html_join("", "{}", ((part,) for part in parts)),
    )


def described(picture: Picture) -> str:
    """Say in words what the picture shows."""
    said = [_("Picture: %(path)s.") % {"path": " › ".join(str(part) for part in picture.path)}]
    for row in picture.rows:
        if row.mark:
            said.append(_("In “%(field)s”, value %(number)s.") % {"field": row.label, "number": row.mark})
        elif row.take:
            said.append(_("Take “%(field)s” from there.") % {"field": row.label})
        else:
            said.append(f"{row.label} – {row.shows}." if row.shows else f"{row.label}.")
    if picture.button:
        said.append(_("Then “%(button)s”.") % {"button": picture.button})
    return " ".join(said)


def _height(picture: Picture, top: int) -> int:
    return top + 20 + 62 * len(picture.rows) + (52 if picture.button else 0) + 10


def _frame(top: int, height: int) -> SafeString:
    return format_html(
        '<rect class="picture-window" x="1" y="1" width="{}" height="{}" rx="10"/>'
        '<path class="picture-line" d="M1 34H{}M1 {}H{}"/>'
        '<circle class="picture-dot" cx="20" cy="18" r="4.5"/><circle class="picture-dot" cx="36" cy="18" r="4.5"/>'
        '<circle class="picture-dot" cx="52" cy="18" r="4.5"/>'
        '<rect class="picture-dot" x="76" y="12" width="{}" height="12" rx="6"/>',
        _WIDTH - 2,
        height - 2,
        _WIDTH - 1,
        top,
        _WIDTH - 1,
        _WIDTH - 76 - _MARGIN,
    )


def _path(lines: Sequence[str]) -> SafeString:
    texts = ((_MARGIN, 58 + _LINE * at, line) for at, line in enumerate(lines))
    return format_html_join("", '<text class="picture-path" x="{}" y="{}">{}</text>', texts)


def _row(row: Row, y: int) -> SafeString:
    width = _WIDTH - 2 * _MARGIN
    box = "picture-field is-marked" if row.mark or row.take else "picture-field"
    inside = SafeString("")
    if row.mark:
        inside = format_html(
            '<circle class="picture-badge" cx="{}" cy="{}" r="11"/>'
            '<text class="picture-number" x="{}" y="{}">{}</text>',
            _MARGIN + 20,
            y + 29,
            _MARGIN + 20,
            y + 34,
            row.mark,
        )
    elif row.shows or row.take:
        shown = str(row.shows) or "…"
        inside = format_html('<text class="picture-text" x="{}" y="{}">{}</text>', _MARGIN + 12, y + 34, shown)
    if row.take:
        # Two sheets: copy.
        x = _WIDTH - _MARGIN - 30
        inside += format_html(
            '<path class="picture-copy" d="M{} {}h10v12h-10zM{} {}v-4h10v12h-4"/>', x, y + 24, x + 4, y + 24
        )
    return format_html(
        '<text class="picture-label" x="{}" y="{}">{}</text>'
        '<rect class="{}" x="{}" y="{}" width="{}" height="32" rx="6"/>{}',
        _MARGIN,
        y + 4,
        row.label,
        box,
        _MARGIN,
        y + 13,
        width,
        inside,
    )


def _button(label: str, y: int) -> SafeString:
    width = max(90, 9 * len(label) + 28)
    return format_html(
        '<rect class="picture-button" x="{}" y="{}" width="{}" height="34" rx="7"/>'
        '<text class="picture-button-text" x="{}" y="{}">{}</text>',
        _MARGIN,
        y + 2,
        width,
        _MARGIN + width // 2,
        y + 24,
        label,
    )


def _wrapped(parts: Sequence[str]) -> list[str]:
    """Break the path between its parts, never within one."""
    lines = [""]
    for at, part in enumerate(parts):
        piece = part if at == 0 else f"› {part}"
        longer = f"{lines[-1]} {piece}".strip()
        if len(longer) <= _SIGNS or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines
