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


def fetched_metadata(url: str) -> bytes:
    """Return the document at an https address; for the demo and the tests also at one of this machine.

    Raises:
        Refusal: `bad_address`, `private_address`, `unreachable`, `metadata_too_large`.
    """
    parts = _checked(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    unreachable = Refusal(
        "unreachable",
        _("The metadata could not be fetched from %(host)s. Download it, and give the file.") % {"host": host},
    )
    try:
        with _connected(parts, _resolved(host, port)) as connection:
            connection.request(
                "GET", target, headers={"Host": parts.netloc, "Accept": "application/samlmetadata+xml, */*"}
            )
            answer = connection.getresponse()
            content = answer.read(LARGEST_METADATA + 1)
    except (OSError, HTTPException, ValueError):
        raise unreachable from None
    if answer.status != 200:
        raise unreachable
    if len(content) > LARGEST_METADATA:
        raise Refusal("metadata_too_large", _("This file is larger than 1 MB."))
    return content


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    loopback = settings.ALLOW_LOOPBACK_IDP and parts.scheme == "http" and _is_loopback_name(parts.hostname or "")
    clean = url.isascii() and url.isprintable() and " " not in url
    if not clean or not parts.hostname or parts.username is not None or not (parts.scheme == "https" or loopback):
        raise Refusal("bad_address", _refused_address())
    return parts


def _refused_address() -> str:
    return _("Metadata is fetched from https:// addresses only, without a user name. Otherwise give a file.")


def _is_loopback_name(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _resolved(host: str, port: int) -> tuple[str, int]:
    """Return the first address of a name, if every one of them is public.

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
    return str(found[0][0]), port


@contextlib.contextmanager
def _connected(parts: SplitResult, address: tuple[str, int]) -> Iterator[HTTPConnection]:
    """Give a connection to this very address, which ends after five seconds whatever the other side does."""
    plain = socket.create_connection(address, timeout=SECONDS)
    # A timeout of the socket begins again with every byte; the clock ends the whole.
    same = plain.dup()
    clock = threading.Timer(SECONDS, _shut, args=[same])
    clock.start()
    connection = HTTPConnection(*address)
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


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
