"""What each platform is sent: launch links, and parcels of enrolments."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.cohorts.models import Programme
from portal.progress.platforms.adapters import ADAPTERS, platform_of
from portal.progress.platforms.protocol import Seat

if TYPE_CHECKING:
    from portal.progress.platforms.protocol import Platform

LEARNER = uuid.UUID("6f1c0f0e-3f2c-4d62-b6c9-0d7f3f0f6f01")


def link(platform: str, launch_url: str) -> str:
    programme = Programme(code="objectif-ia", launch_url=launch_url, platform=platform)
    return platform_of(programme).launch_link(programme, str(LEARNER), language="fr")


@pytest.mark.parametrize(
    ("launch_url", "expected"),
    [
        ("https://a.example/course", f"https://a.example/course?learner={LEARNER}"),
        ("https://a.example/course?lang=fr#top", f"https://a.example/course?lang=fr&learner={LEARNER}#top"),
        ("https://a.example/{language}/p/{learner}/resume", f"https://a.example/fr/p/{LEARNER}/resume"),
        ("", ""),
    ],
)
def test_the_link_carries_the_reference(launch_url: str, expected: str) -> None:
    assert link("rest", launch_url) == link("file", launch_url) == link("of-tomorrow", launch_url) == expected


def test_with_xapi_the_learner_is_an_actor_whose_account_is_ours() -> None:
    query = parse_qs(urlsplit(link("xapi", "https://a.example/course")).query)
    assert json.loads(query["actor"][0])["account"] == {"homePage": "http://localhost:8000", "name": str(LEARNER)}
    assert link("xapi", "") == ""


@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=lambda adapter: adapter.code)
def test_a_parcel_says_nothing_of_the_person_by_itself(adapter: Platform) -> None:
    seats = [Seat(LEARNER, "objectif-ia", enrolled=True), Seat(LEARNER, "objectif-ia", enrolled=False)]
    parcel = adapter.parcel(seats)
    if adapter.code == "file":
        assert parcel is None
        return
    assert parcel is not None
    assert parcel.content_type == "application/x-ndjson"
    assert [json.loads(line) for line in parcel.content.splitlines()] == [
        {"learner": str(LEARNER), "programme": "objectif-ia", "enrolled": enrolled} for enrolled in (True, False)
    ]
    assert parcel == adapter.parcel(seats)
