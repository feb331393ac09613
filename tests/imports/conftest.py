"""What every test of imports may ask for."""

from __future__ import annotations

import pytest

from imports import tasks


@pytest.fixture
def _work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page enqueues is done here, once its transaction is over."""
    for task in (tasks.prepare, tasks.plan, tasks.apply, tasks.undo):
        monkeypatch.setattr(task, "apply_async", lambda ids, task=task: task.run(*ids))
