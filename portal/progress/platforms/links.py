"""Launch links: the platform's address with the opaque reference in it, at the place that the platform keeps for it."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django.conf import settings

LEARNER, LANGUAGE = "{learner}", "{language}"


def plain_link(launch_url: str, learner: str, *, language: str) -> str:
    """Put the reference where the address has a place for it, else into the parameter `learner`.

    The platform knows by the reference where the learner stopped; an address with places can lead deeper still.
    """
    if not launch_url:
        return ""
    if LEARNER in launch_url or LANGUAGE in launch_url:
        return launch_url.replace(LEARNER, quote(learner)).replace(LANGUAGE, quote(language))
    return _with(launch_url, {"learner": learner})


def statement_link(launch_url: str, learner: str) -> str:
    """Say who launches as an xAPI actor, so that statements come back with that very account. No secret goes out."""
    if not launch_url:
        return ""
    actor = {"objectType": "Agent", "account": {"homePage": settings.BASE_URL, "name": learner}}
    return _with(launch_url, {"actor": json.dumps(actor, separators=(",", ":"))})


def _with(launch_url: str, parameters: dict[str, str]) -> str:
    parts = urlsplit(launch_url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=query))
