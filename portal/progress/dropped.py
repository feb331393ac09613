"""The drop folder: a platform's nightly files are taken from it one by one, and moved aside with what became of them.

A file is taken by renaming it, so that two workers never read the same; one whose worker died stays under `taken` and,
after an hour, is taken again: the same file again changes nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import time
from typing import TYPE_CHECKING

from django.conf import settings

from portal.cohorts.models import DEFAULT_PROGRAMME
from portal.core.errors import Refusal
from portal.organisations.models import Organisation
from portal.progress.files import events_of_file
from portal.progress.services import record_completions
from portal.progress.tally import Source

if TYPE_CHECKING:
    from pathlib import Path

    from portal.core.actor import Actor

log = logging.getLogger(__name__)

SETTLED_SECONDS = 60
FORSAKEN_SECONDS = 3_600


def take_dropped_files(*, actor: Actor) -> set[int]:
    """Record every file that lies in the drop folder and is no longer written to; return whose counts changed.

    A subfolder named like an organisation holds files that are that organisation's alone.
    """
    root = settings.PLATFORM_DROP_FOLDER
    if root is None or not root.is_dir():
        return set()
    changed: set[int] = set()
    slugs = set(Organisation.objects.filter(active=True).values_list("slug", flat=True))
    for folder in [root, *sorted(path for path in root.iterdir() if path.is_dir() and path.name in slugs)]:
        _give_back_forsaken(folder)
        for path in sorted(folder.iterdir()):
            if path.is_file() and time.time() - path.stat().st_mtime >= SETTLED_SECONDS:
                changed |= _take(path, actor, slug="" if folder == root else folder.name)
    return changed


def _take(path: Path, actor: Actor, *, slug: str) -> set[int]:
    taken = path.parent / "taken" / path.name
    taken.parent.mkdir(exist_ok=True)
    try:
        path.rename(taken)
    except OSError:
        # Another worker was faster.
        return set()
    taken.touch()
    given = {"programme": DEFAULT_PROGRAMME, **({"organisation": slug} if slug else {})}
    try:
        recorded = record_completions(
            actor=actor,
            events=events_of_file(taken, given=given),
            allowed=frozenset({slug}) if slug else None,
            source=Source.FILE,
            name=path.name,
        )
    except Refusal as refusal:
        log.warning("A dropped file was refused: %s.", refusal.code)
        _put_aside(taken, "refused", {"error": {"code": refusal.code, "message": str(refusal)}})
        return set()
    _put_aside(taken, "done", dataclasses.asdict(recorded))
    return set(recorded.organisation_ids)


def _put_aside(taken: Path, place: str, report: dict[str, object]) -> None:
    """Move the file to where it stays, with the report beside it."""
    folder = taken.parent.parent / place
    folder.mkdir(exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    kept = folder / f"{stamp}-{taken.name}"
    taken.rename(kept)
    kept.with_name(f"{kept.name}.report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1))


def _give_back_forsaken(folder: Path) -> None:
    taken = folder / "taken"
    for path in sorted(taken.iterdir()) if taken.is_dir() else []:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > FORSAKEN_SECONDS:
                path.rename(folder / path.name)
