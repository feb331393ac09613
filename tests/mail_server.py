"""A real mail server of the tests' own, which says what a test wants it to say, and keeps what it took."""

from __future__ import annotations

import email
import email.policy
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage


@dataclass
class Post:
    """What arrived. `answer` is what the server says to each recipient, `on_data` what it does once it has a mail."""

    answer: dict[str, str] = field(default_factory=dict)
    taken: list[EmailMessage] = field(default_factory=list)
    on_data: Callable[[], str] = lambda: "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        said = self.answer.get(address, "250 OK")
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  Its name.
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken.append(message)
        return self.on_data()

    def to(self) -> list[str]:
        return [str(message["To"]) for message in self.taken]


@contextmanager
def mail_server(port: int = 0) -> Iterator[tuple[Post, int]]:
    """Run the server on a free port of this machine."""
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=port or _free_port())
    controller.start()
    try:
        yield post, controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
