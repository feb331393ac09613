"""Asking the DNS for the proof that a domain is somebody's.

What answers is whoever runs the domain, or stands between: an answer is bounded in time and size, and all that is
taken from it is whether it holds the very text that we gave.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import dns.exception
import dns.nameserver
import dns.resolver
from django.conf import settings

SECONDS: Final = 4.0
MOST_RECORDS: Final = 60
PREFIX: Final = "_portal-verify"


class Answer(StrEnum):
    FOUND = "found"
    MISSING = "missing"
    SILENT = "silent"
    """The DNS did not answer: that says nothing of the record."""


def record_name(domain: str) -> str:
    return f"{PREFIX}.{domain}"


def record_value(challenge: str) -> str:
    return f"portal-verify={challenge}"


def proof_of(domain: str, challenge: str) -> Answer:
    """Say whether the TXT record of a domain holds this challenge."""
    try:
        found = _resolver().resolve(f"{record_name(domain)}.", "TXT", search=False, lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Answer.MISSING
    except (dns.exception.DNSException, OSError, ValueError):
        return Answer.SILENT
    wanted = record_value(challenge).encode()
    texts = (b"".join(record.strings).strip() for record in list(found)[:MOST_RECORDS])
    return Answer.FOUND if wanted in texts else Answer.MISSING


def _resolver() -> dns.resolver.Resolver:
    """Ask the servers that the settings name, else those of the machine."""
    if not settings.DNS_SERVERS:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [_server(text) for text in settings.DNS_SERVERS]
    return resolver


def _server(text: str) -> dns.nameserver.Do53Nameserver:
    """Read `192.0.2.53`, `192.0.2.53:5353` or an IPv6 address."""
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and ":" not in host:
        return dns.nameserver.Do53Nameserver(host, int(port))
    return dns.nameserver.Do53Nameserver(text)
