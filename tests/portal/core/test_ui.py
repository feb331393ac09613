"""The words of every page: numbers, dates and statuses in both languages, and colours that can be read."""

from __future__ import annotations

import datetime as dt
import re
from itertools import product
from pathlib import Path

import pytest
from django import forms
from django.template import Context, engines
from django.test import RequestFactory
from django.utils import translation

from portal.core.templatetags import ui

PARIS_EVENING = dt.datetime(2026, 11, 22, 17, 4, tzinfo=dt.UTC)
STYLESHEET = Path(ui.__file__).parents[2] / "static" / "portal.css"


@pytest.mark.parametrize(
    ("value", "french", "english"),
    [
        (61750, "61\u202f750", "61,750"),
        (999, "999", "999"),
        (-1200, "−1\u202f200", "−1,200"),
        (0, "0", "0"),
        (None, "–", "–"),
        ("", "–", "–"),
    ],
)
def test_numbers_follow_the_language(value: int | None, french: str, english: str) -> None:
    with translation.override("fr"):
        assert ui.number(value) == french
    with translation.override("en"):
        assert ui.number(value) == english


def test_decimals_follow_the_language() -> None:
    with translation.override("fr"):
        assert ui.number(1234.5, 1) == "1\u202f234,5"


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [(62, 100, "62%"), (9999, 10000, "99%"), (1, 10000, "< 1%"), (0, 5, "0%"), (5, 5, "100%"), (3, 0, "–")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part: int, whole: int, written: str) -> None:
    with translation.override("en"):
        assert ui.percent(part, whole) == written


def test_dates_are_written_in_letters_in_the_time_zone_of_the_portal() -> None:
    with translation.override("fr"):
        assert ui.moment(PARIS_EVENING).replace("\u00a0", " ") == "22 novembre 2026, 18 h 04"
        assert ui.day(dt.date(2026, 12, 1)).replace("\u00a0", " ") == "1er décembre 2026"
    with translation.override("en"):
        assert ui.moment(PARIS_EVENING).replace("\u00a0", " ") == "22 November 2026, 18:04"
    assert ui.day(None) == "–"
    assert ui.moment(None) == "–"


def test_the_day_of_a_moment_near_midnight_is_the_local_one() -> None:
    with translation.override("fr"):
        assert ui.day(dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC)).startswith("23")


@pytest.mark.parametrize(
    ("name", "signs"), [("La Poste", "LP"), ("Airbus", "Ai"), ("EDF", "ED"), ("", "–"), (None, "–")]
)
def test_initials(name: str | None, signs: str) -> None:
    assert ui.initials(name) == signs


def test_a_chosen_accent_wins_and_a_slug_always_gets_the_same_one() -> None:
    assert ui.accent("la-poste", 8) == "accent-8"
    assert ui.accent("la-poste") == ui.accent("la-poste", None) == ui.accent("la-poste", "13")
    assert ui.accent("") == "accent-1"
    assert len({ui.accent(f"organisation-{n}") for n in range(300)}) == ui.ACCENTS


def test_a_status_says_its_word_and_escapes_it() -> None:
    page = _render('{% load ui %}{% status word "warn" %}', word="<b>en retard</b>")
    assert 'class="status warn"' in page
    assert "&lt;b&gt;en retard" in page
    with pytest.raises(ValueError, match="A status is one of"):
        ui.status("late", "purple")


def test_a_bar_is_drawn_by_attributes_and_stays_within_its_track() -> None:
    with translation.override("fr"):
        half = ui.bar(1, 8, 'douze "pour" cent')
    assert 'width="12.50%"' in half
    assert 'role="img"' in half
    assert "douze &quot;pour&quot; cent" in half
    assert "style=" not in half
    assert 'width="100.00%"' in ui.bar(9, 3)
    assert 'aria-hidden="true"' in ui.bar(None, 0)


def test_a_page_link_keeps_the_filters() -> None:
    request = RequestFactory().get("/", {"site": "Nantes & Rennes", "page": "2"})
    assert ui.page_link(Context({"request": request}), 3) == "?site=Nantes+%26+Rennes&page=3"


def test_a_field_links_its_help_and_its_errors_to_the_control() -> None:
    class Door(forms.Form):
        email = forms.EmailField(label="E-mail", help_text="Your company's.")

    page = _render("{% load ui %}{% field form.email %}", form=Door({"email": "x"}))
    described = re.search(r'aria-describedby="([^"]+)"', page)
    assert described
    for reference in described[1].split():
        assert f'id="{reference}"' in page
    assert '<label for="id_email">' in page
    assert 'aria-invalid="true"' in page


def _render(source: str, **values: object) -> str:
    return engines["django"].from_string(source).render(values)


def _tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})\b", block))


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _mixed(colour: str, ground: str, share: float) -> str:
    pairs = [(int(colour[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(over * share + under * (1 - share)):02x}" for over, under in pairs)


def _schemes() -> dict[str, dict[str, str]]:
    light, dark = STYLESHEET.read_text().split("prefers-color-scheme: dark", 1)
    return {"light": _tokens(light), "dark": _tokens(dark.split("/* Accents", 1)[0])}


@pytest.mark.parametrize(("scheme", "soft"), [("light", 0.10), ("dark", 0.14)])
def test_every_accent_can_be_read(scheme: str, soft: float) -> None:
    tokens = _schemes()[scheme]
    accents = re.findall(rf"accent-\d+ {{.*?--accent-{scheme}: (#[0-9a-f]{{6}})", STYLESHEET.read_text())
    assert len(accents) == ui.ACCENTS
    for accent in accents:
        grounds = [
            tokens["paper"],
            tokens["card"],
            tokens["accent-ink"],
            _mixed(accent, tokens["card"], soft),
        ]
        assert min(_contrast(accent, ground) for ground in grounds) >= 4.5, accent


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tone_and_every_text_can_be_read(scheme: str) -> None:
    tokens = _schemes()[scheme]
    grounds = [tokens[name] for name in ("paper", "card", "sunk")]
    for words, ground in product((tokens["ink"], tokens["muted"]), grounds):
        assert _contrast(words, ground) >= 4.5
    for tone in ("good", "warn", "bad"):
        assert _contrast(tokens[tone], tokens[f"{tone}-soft"]) >= 4.5
        assert _contrast(tokens["ink"], tokens[f"{tone}-soft"]) >= 4.5
    # The edge of a control is not text: 3:1 is asked of it.
    assert min(_contrast(tokens["edge"], ground) for ground in grounds[:2]) >= 3
