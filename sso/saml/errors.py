"""The one exception of the protocol: a code of the catalogue, and what an administrator needs to know."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_DETAIL = 300


class SAMLError(Exception):
    """A message was refused. `code` is stable; `details` says what was received, never a secret."""

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        # The code of the trace that the attempt has left already, if it has.
        self.trace = ""
        # The text comes from whoever posted the message: it is bounded here and escaped where it is shown.
        self.details: dict[str, str] = {name: text[:_LONGEST_DETAIL] for name, text in details.items()}


@contextmanager
def named_errors(code: str = "malformed") -> Iterator[None]:
    """Let nothing but a SAMLError out.

    The libraries below raise some forty kinds of exception on hostile input, and each of them would be a 500.
    Only the type of the exception is kept: its text may quote a decrypted message.
    """
    try:
        yield
    except SAMLError:
        raise
    except Exception as error:
        raise SAMLError(code, reason=type(error).__name__) from error
