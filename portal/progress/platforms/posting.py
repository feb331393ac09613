"""One parcel to one platform over HTTPS. No redirect is followed: the secret goes to the configured address alone."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from portal.progress.platforms.protocol import Parcel

SECONDS: Final = 15.0


def post_parcel(endpoint: str, parcel: Parcel, *, secret: str) -> str:
    """Return nothing when the platform took the parcel, else why not: `unreachable`, or `http_` and the status."""
    parts = urlsplit(endpoint)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    headers = {"Content-Type": parcel.content_type, "Idempotency-Key": parcel.key}
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        connection.request("POST", target, body=parcel.content, headers=headers)
        status = connection.getresponse().status
    except (OSError, HTTPException):
        return "unreachable"
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"http_{status}"
