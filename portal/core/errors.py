"""Refusals that a person can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


class Refusal(Exception):  # noqa: N818  It is an answer, not a fault.
    """What was asked cannot be done, and the sentence says why and what to do.

    `code` is stable and belongs to the contract; `message` is for people, in their language.
    """

    def __init__(self, code: str, message: _StrOrPromise) -> None:
        super().__init__(code)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class OutsideScope(RuntimeError):  # noqa: N818  The name says what happened.
    """A partner's rows were asked for without saying whose: always a programming error."""
