"""The second net: numbers with check digits are found wherever they stand, and little else is."""

from __future__ import annotations

import pytest

from imports.pipeline.sensitive import discloses, may_disclose
from tests.imports.pipeline.packages import IBAN, NIR

DISCLOSING = [
    NIR,
    "1 85 05 75 001 002 16",
    "1.85.05.75.001.002-16",
    f"NIR : {NIR} (à vérifier)",
    "1 85 05 2A 001 002 73",
    IBAN,
    IBAN.lower(),
    "FR76 3000 6000 0112 3456 7890 189",
    "RIB FR76 3000 6000 0112 3456 7890 189 merci de payer",
    "DE89 3704 0044 0532 0130 00",
]
HARMLESS = [
    "",
    "185057500100217",
    f"9{NIR}",
    f"{NIR}7",
    "00000185057500100216",
    "FR7630006000011234567890188",
    "ATELIER 12 de la gare de Lyon Perrache",
    "zoe.martin@laposte.example",
    "+33 6 12 34 56 78",
    "2026-11-01T08:00:00",
]


@pytest.mark.parametrize("text", DISCLOSING)
def test_numbers_with_check_digits_are_found(text: str) -> None:
    assert discloses(text)


@pytest.mark.parametrize("text", DISCLOSING)
def test_the_quick_look_overlooks_none_of_them(text: str) -> None:
    assert may_disclose(f"<t>x</t><t>{text}</t>".encode())


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_are_left_alone(text: str) -> None:
    assert not discloses(text)


def test_spaces_that_do_not_break_are_spaces() -> None:
    text = "1\u00a085\u202f05\u00a075\u00a0001\u00a0002\u00a016"
    assert discloses(text)
    assert may_disclose(text.encode())
