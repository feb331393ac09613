"""The small words of every page: numbers, dates, statuses, fields and bars, in the reader's language."""

from __future__ import annotations

import datetime as dt
import zlib
from decimal import Decimal

from django import template
from django.forms import BoundField, CheckboxInput
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()

Number = int | float | Decimal

ABSENT = "–"
NARROW_SPACE = "\u202f"
SPACE = "\u00a0"
ACCENTS = 12
TONES = frozenset({"neutral", "info", "good", "warn", "bad"})


def in_french() -> bool:
    """Whether the active language is French; every other language is written the English way."""
    return (get_language() or "fr").startswith("fr")


@register.filter
def number(value: Number | None, decimals: int = 0) -> str:
    """Write a number with the thousands separator of the language; an absent one is a dash."""
    if value is None or value == "":
        return ABSENT
    written = f"{value:,.{decimals}f}".replace("-", "−")
    if in_french():
        written = written.translate({ord(","): NARROW_SPACE, ord("."): ","})
    return written


@register.filter
def percent(part: Number | None, whole: Number = 1) -> str:
    """Write `part` of `whole` in whole per cent.

    Rounding never says that all is done, or nothing, when that is not so: 99.9 is written 99, 0.1 is < 1.
    """
    if part is None or part == "" or not whole:
        return ABSENT
    share = 100 * float(part) / float(whole)
    rounded = min(round(share), 99) if share < 100 else round(share)
    sign = f"{NARROW_SPACE if in_french() else ''}%"
    return f"< 1{sign}" if 0 < share < 0.5 else f"{number(rounded)}{sign}"


@register.filter
def iso(text: str) -> dt.datetime:
    """Read a moment as a mail in the outbox keeps it: what waits there is JSON."""
    return dt.datetime.fromisoformat(text)


def _local(value: dt.datetime) -> dt.datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


@register.filter
def day(value: dt.date | None) -> str:
    """Write a date with its month in letters: 1er novembre 2026, 1 November 2026."""
    if not value:
        return ABSENT
    local = timezone.localtime(value) if isinstance(value, dt.datetime) and timezone.is_aware(value) else value
    first = f"{local.day}er" if in_french() and local.day == 1 else str(local.day)
    return f"{first}{SPACE}{date_format(local, 'F')} {local.year}"


@register.filter
def moment(value: dt.datetime | None) -> str:
    """Write a date and its time of day, in the portal's time zone: 22 novembre 2026, 18 h 04."""
    if not value:
        return ABSENT
    local = _local(value)
    clock = f"{local.hour}{SPACE}h{SPACE}{local:%M}" if in_french() else f"{local:%H:%M}"
    return f"{day(local)}, {clock}"


@register.filter
def initials(name: str | None) -> str:
    """Return the one or two signs that stand for a name in its square: La Poste → LP, Airbus → Ai."""
    words = (name or "").replace("-", " ").replace("’", " ").split()
    if not words:
        return ABSENT
    return words[0][:2] if len(words) == 1 else (words[0][0] + words[1][0]).upper()


@register.filter
def accent(slug: str | None, chosen: int | str | None = None) -> str:
    """Return the class of an organisation's accent: the one it chose, else one that its slug always gets.

    Only the twelve colours of portal.css exist, so every pair of colours on a page has a tested contrast
    and the content security policy needs no exception for a colour.
    """
    if chosen and str(chosen).isdecimal() and 1 <= int(chosen) <= ACCENTS:
        return f"accent-{int(chosen)}"
    if not slug:
        return "accent-1"
    # CRC-32 rather than hash(): the colour must be the same in every process and after every restart.
    return f"accent-{zlib.crc32(slug.encode()) % ACCENTS + 1}"


@register.inclusion_tag("components/status.html")
def status(word: str, tone: str = "neutral") -> dict[str, str]:
    """Say a state: the word carries the meaning, the tone only helps the eye."""
    if tone not in TONES:
        raise ValueError(f"A status is one of {sorted(TONES)}, not {tone!r}.")
    return {"word": word, "tone": tone}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, wide: bool = False) -> dict[str, object]:  # noqa: FBT001, FBT002 - a template says wide=True.
    """Render a form field with its label, help and errors; Django links help and errors to the control."""
    return {
        "field": bound,
        "wide": wide,
        "is_check": isinstance(bound.field.widget, CheckboxInput),
        "is_hidden": bound.is_hidden,
    }


@register.simple_tag
def bar(part: Number | None, whole: Number = 1, title: str = "") -> SafeString:
    """Draw `part` of `whole` as a horizontal bar.

    Lengths are SVG attributes: a strict content security policy allows them, and refuses style attributes.
    With a title it is an image that speaks; without one it is decoration beside numbers that say the same.
    """
    share = float(part or 0) / float(whole) if whole else 0.0
    width = f"{100 * min(max(share, 0.0), 1.0):.2f}%"
    voice = format_html('role="img" aria-label="{}"', title) if title else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="bar" width="100%" height="16" focusable="false" {}>{}'
        '<rect class="bar-track" width="100%" height="100%" rx="3"/>'
        '<rect class="bar-fill" width="{}" height="100%" rx="3"/></svg>',
        voice,
        format_html("<title>{}</title>", title) if title else "",
        width,
    )


@register.simple_tag
def nav_link(label: str, url: str, current: bool = False) -> SafeString:  # noqa: FBT001, FBT002 - positional in templates.
    """Write one link of a navigation, marked when it leads to the page that is shown."""
    mark = SafeString(' aria-current="page"') if current else ""
    return format_html('<a href="{}"{}>{}</a>', url, mark, label)


@register.simple_tag(takes_context=True)
def page_link(context: template.Context, page: int | str, parameter: str = "page") -> str:
    """Return the address of another page of the same list: the query string stays, only the page changes."""
    query = context["request"].GET.copy()
    query[parameter] = str(page)
    return f"?{query.urlencode()}"
