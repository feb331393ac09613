"""A tiny DNS server over UDP: it answers what a test puts into it, well-formed or not."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Zone:
    """`texts` are the TXT records by name; a name in `broken` is answered with bytes that are no message."""

    address: str = ""
    texts: dict[str, list[str]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    broken: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text().rstrip(".")
        self.asked.append(name)
        if name in self.broken:
            return self.broken[name]
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if name in self.failing:
            reply.set_rcode(dns.rcode.REFUSED)
        elif name not in self.texts:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif self.texts[name]:
            records = [f'"{text}"' for text in self.texts[name]]
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *records))
        return reply.to_wire(max_size=65_535)


@contextlib.contextmanager
def dns_server() -> Iterator[Zone]:
    zone = Zone()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as served:
        served.bind(("127.0.0.1", 0))
        zone.address = f"127.0.0.1:{served.getsockname()[1]}"
        thread = threading.Thread(target=_serve, args=[served, zone], daemon=True)
        thread.start()
        try:
            yield zone
        finally:
            with contextlib.suppress(OSError):
                served.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


def _serve(served: socket.socket, zone: Zone) -> None:
    while True:
        try:
            wire, asker = served.recvfrom(4096)
        except OSError:
            return
        if not wire:
            return
        served.sendto(zone.answer(wire), asker)
