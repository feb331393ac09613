"""Asking a real server, over UDP, for the record that proves a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.organisations import txt_records
from portal.organisations.txt_records import Answer, proof_of

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.portal.organisations.dns_server import Zone

NAME = "_portal-verify.acme.example"


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (["portal-verify=abc"], Answer.FOUND),
        ([" portal-verify=abc "], Answer.FOUND),
        (["v=spf1 -all", "portal-verify=abc"], Answer.FOUND),
        (["portal-verify=", '" "abc'], Answer.MISSING),
        (["portal-verify=abcd"], Answer.MISSING),
        (["abc"], Answer.MISSING),
        ([], Answer.MISSING),
    ],
)
def test_only_the_very_text_counts(zone: Zone, texts: list[str], answer: Answer) -> None:
    zone.texts[NAME] = texts
    assert proof_of("acme.example", "abc") is answer
    assert zone.asked == [NAME]


def test_a_text_in_pieces_is_one(zone: Zone) -> None:
    zone.texts[NAME] = ['portal-verify=" "abc']
    assert proof_of("acme.example", "abc") is Answer.FOUND


def test_a_name_that_does_not_exist_has_no_record(zone: Zone) -> None:
    assert proof_of("acme.example", "abc") is Answer.MISSING


def test_a_server_that_refuses_says_nothing(zone: Zone) -> None:
    zone.failing.add(NAME)
    assert proof_of("acme.example", "abc") is Answer.SILENT


@pytest.mark.parametrize("rubbish", [b"x", b"\x00" * 12, b"\xff" * 60])
def test_rubbish_says_nothing(zone: Zone, monkeypatch: pytest.MonkeyPatch, rubbish: bytes) -> None:
    monkeypatch.setattr(txt_records, "SECONDS", 0.3)
    zone.broken[NAME] = rubbish
    assert proof_of("acme.example", "abc") is Answer.SILENT


@pytest.mark.parametrize(("most", "answer"), [(3, Answer.FOUND), (0, Answer.MISSING)])
def test_of_very_many_records_only_so_many_are_read(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, most: int, answer: Answer
) -> None:
    """A server gives its records in an order of its own: which of too many are read is chance."""
    monkeypatch.setattr(txt_records, "MOST_RECORDS", most)
    zone.texts[NAME] = ["filler 1", "filler 2", "portal-verify=abc"]
    assert proof_of("acme.example", "abc") is answer


def test_nobody_answers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(txt_records, "SECONDS", 0.3)
    settings.DNS_SERVERS = ["127.0.0.1:9"]
    assert proof_of("acme.example", "abc") is Answer.SILENT


def test_a_name_that_is_too_long_says_nothing(zone: Zone) -> None:
    assert proof_of(".".join(["a" * 60] * 4), "abc") is Answer.SILENT
