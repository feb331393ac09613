"""Hostile messages in a warm process: how long each keeps it, and how much memory it adds.

The messages are those of the tests of denial of service. The floor is the limit: 50 ms.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from django.utils import timezone

from bench.measuring import Line
from bench.memory import forget_peak, peak_memory
from sso.saml.config import IdentityProvider, ServiceProvider
from sso.saml.errors import SAMLError
from sso.saml.logout import received_by_post, received_by_redirect, verify_request
from sso.saml.response import verify_response
from tests.sso import saml_kit as kit
from tests.sso.saml.test_denial_of_service import ATTACKS

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 0.05
MOST_MEMORY = 64 * 1024**2


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    """Measure every message alone; neither the size of a roster nor a directory plays a part.

    Raises:
        RuntimeError: one was let in, or added more memory than is allowed.
    """
    del rows, directory
    _refusal("response", kit.encode(kit.signed()))
    return [_line(name, kind, build(), runs) for name, (kind, build, _) in ATTACKS.items()]


def _line(name: str, kind: str, message: str, runs: int) -> Line:
    times, added = [], 0
    for _run in range(max(runs, 5)):
        forget_peak()
        before = peak_memory()
        begun = time.perf_counter()
        code = _refusal(kind, message)
        times.append(time.perf_counter() - begun)
        added = max(added, peak_memory() - before)
    if code == "let in" or added > MOST_MEMORY:
        raise RuntimeError(f"{name}: {code}, {added / 1024**2:.0f} MB more.")
    note = f"{len(message) / 1024:.0f} KB; the floor is the limit, the memory what it adds"
    return Line(f"hostile, {name}", 1, LIMIT, median(times), 1, added, note=note)


def _refusal(kind: str, message: str) -> str:
    ours = kit.keys("portal")
    sp = ServiceProvider(kit.SP_ENTITY_ID, kit.ACS_URL, kit.SLS_URL, ours.private_pem, ours.certificate_pem)
    idp = IdentityProvider(kit.IDP_ENTITY_ID, kit.SSO_URL, (kit.keys("idp").certificate_pem,))
    try:
        if kind == "response":
            verify_response(message, sp=sp, idp=idp, request_id=kit.REQUEST_ID, now=timezone.now())
        else:
            received = (
                received_by_redirect(message) if kind == "redirect" else received_by_post({"SAMLRequest": message})
            )
            verify_request(received, sp=sp, idp=idp, now=timezone.now())
    except SAMLError as error:
        return error.code
    return "let in"
