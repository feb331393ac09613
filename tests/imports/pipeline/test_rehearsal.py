"""What would end the process ends the child."""

from __future__ import annotations

import os
import signal

import pytest

from imports.pipeline import rehearsal
from imports.pipeline.rehearsal import survives


def raise_an_error() -> None:
    raise ValueError("a damaged file")


def ask_for_too_much() -> None:
    bytearray(rehearsal.MEMORY + 1)


def abort() -> None:
    os.kill(os.getpid(), signal.SIGABRT)


def work_for_ever() -> None:
    while True:
        pass


def test_what_ends_or_raises_is_survived() -> None:
    assert survives(lambda: None)
    assert survives(raise_an_error)


@pytest.mark.parametrize("deadly", [ask_for_too_much, abort, work_for_ever])
def test_what_would_take_the_process_down_does_not(deadly: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "SECONDS", 1)
    assert callable(deadly)
    assert not survives(deadly)
