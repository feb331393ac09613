"""Reading metadata from an address, without letting the address choose what our machine talks to.

The name is resolved once and the connection goes to that very address, so that a name that changes its answer between
the check and the use gains nothing. No redirect is followed and no proxy of the environment is used.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from sso.saml.metadata import LARGEST_METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = 5.0
LONGEST_MARK: Final = 200


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered: a document and its mark, or None where it said that nothing has changed."""

    content: bytes | None
    etag: str = ""


def fetched_metadata(url: str) -> bytes:
    """Return the document at an https address; for the demo and the tests also at one of this machine.

    Raises:
        Refusal: `bad_address`, `private_address`, `unreachable`, `metadata_too_large`.
    """
    return _fetched(url, etag="").content or b""


def fetched_if_changed(url: str, etag: str) -> Fetched:
    """Return the document unless it still is the one with this mark.

    Raises:
        Refusal: as `fetched_metadata`.
    """
    return _fetched(url, etag=etag)


def _fetched(url: str, *, etag: str) -> Fetched:
    parts = checked_address(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    unreachable = Refusal(
        "unreachable",
        _("The metadata could not be fetched from %(host)s. Download it, and give the file.") % {"host": host},
    )
    headers = {"Host": parts.netloc, "Accept": "application/samlmetadata+xml, */*"}
    if etag:
        headers["If-None-Match"] = etag
    try:
        with _connected(parts, _resolved(host, port)) as connection:
            connection.request("GET", target, headers=headers)
            with connection.getresponse() as answer:
                content = answer.read(LARGEST_METADATA + 1)
    except socket.gaierror:
        message = _("No machine on the internet is called %(host)s. Look for a slip in the address, or give the file.")
        raise Refusal("unreachable", message % {"host": host}) from None
    except (OSError, HTTPException, ValueError):
        raise unreachable from None
    if etag and answer.status == HTTPStatus.NOT_MODIFIED:
        return Fetched(None, etag)
    if answer.status != HTTPStatus.OK:
        message = _("%(host)s answers, but not with metadata (HTTP status %(status)s). Look at the address.")
        raise Refusal("unreachable", message % {"host": host, "status": answer.status})
    if len(content) > LARGEST_METADATA:
        raise Refusal("metadata_too_large", _("This file is larger than 1 MB."))
    return Fetched(content, _usable_mark(answer.getheader("ETag", "")))


def _usable_mark(etag: str) -> str:
    """Return a mark that may be sent back as it came: one line, and not longer than we keep."""
    return etag if len(etag) <= LONGEST_MARK and etag.isascii() and etag.isprintable() else ""


def checked_address(url: str) -> SplitResult:
    """Return the parts of an address that may be asked at all.

    Raises:
        Refusal: `bad_address`.
    """
    try:
        parts = urlsplit(url)
        clean = url.isascii() and url.isprintable() and " " not in url and parts.port != 0
    except ValueError:
        parts, clean = urlsplit(""), False
    host = parts.hostname or ""
    local = settings.ALLOW_LOOPBACK_IDP and parts.scheme == "http" and _is_loopback_name(host)
    if not clean or not host or parts.username is not None or not (parts.scheme == "https" or local):
        message = _("Metadata is fetched from https:// addresses only, without a user name. Otherwise give a file.")
        raise Refusal("bad_address", message)
    return parts


def _is_loopback_name(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _resolved(host: str, port: int) -> list[tuple[str, int]]:
    """Return the addresses of a name, if every one of them is public.

    Raises:
        Refusal: `private_address`.
        OSError: the name has no address.
    """
    found = [info[4] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        number = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if not number.is_global and not (settings.ALLOW_LOOPBACK_IDP and number.is_loopback):
            message = _("%(host)s is an address of a private network. Download the metadata, and give the file.")
            raise Refusal("private_address", message % {"host": host})
    return [(str(address[0]), port) for address in found]


@contextlib.contextmanager
def _connected(parts: SplitResult, addresses: list[tuple[str, int]]) -> Iterator[HTTPConnection]:
    """Give a connection to one of these very addresses; it ends after five seconds whatever the other side does."""
    plain = _opened(addresses)
    # A timeout of the socket begins again with every byte; the clock ends the whole.
    same = plain.dup()
    clock = threading.Timer(SECONDS, _shut, args=[same])
    clock.start()
    connection = HTTPConnection(*addresses[0])
    try:
        connection.sock = plain
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(plain, server_hostname=parts.hostname)
        yield connection
    finally:
        clock.cancel()
        same.close()
        connection.close()
        plain.close()


def _opened(addresses: list[tuple[str, int]]) -> socket.socket:
    """Return a socket to the first address that answers: localhost is often ::1 before it is 127.0.0.1."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection(address, timeout=SECONDS)
    return socket.create_connection(addresses[-1], timeout=SECONDS)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
