"""The child that reads a file for us: starting the reader, taking its frames, and naming what became of it."""

from __future__ import annotations

import contextlib
import json
import logging
import select
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.reader import OUT_OF_MEMORY, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.pipeline.reader import Request

log = logging.getLogger(__name__)

_ROOT: Final = str(Path(__file__).resolve().parents[2])
_PROGRAM: Final = "import sys; sys.path.insert(0, sys.argv[1]); from imports.pipeline.reader import main; main()"
_HEAD: Final = struct.Struct(">cI")
_LONGEST_FRAME: Final = 256 << 20
_LARGER_THAN_ALLOWED: Final = {-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ, OUT_OF_MEMORY}
"""How the child ends when it reaches a limit; any other death is the parser's own, over a damaged file."""


@dataclass(frozen=True, slots=True)
class Frame:
    kind: Kind
    payload: bytes

    @property
    def document(self) -> Any:  # noqa: ANN401  JSON has no narrower type.
        return json.loads(self.payload)


@contextlib.contextmanager
def reading(request: Request) -> Iterator[Iterator[Frame]]:
    """Start the reader and yield its frames as they come; it ends with the block, whatever happens in it.

    Raises, from the frames:
        UnreadableFile: the reader refused the file, died over it (`damaged`), or reached a limit (`too_demanding`).
    """
    handed = [request.file, *([request.copy] if request.copy is not None else [])]
    process = subprocess.Popen(  # noqa: S603  The interpreter we run in, and a program of our own.
        [sys.executable, "-I", "-B", "-c", _PROGRAM, _ROOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "2"},
        pass_fds=handed,
        bufsize=0,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        # A child that died before it was asked says so by its end.
        with contextlib.suppress(BrokenPipeError), process.stdin as asked:
            asked.write(request.as_json())
        yield _frames(process, process.stdout, deadline=time.monotonic() + 2 * request.seconds)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _frames(process: subprocess.Popen[bytes], answer: IO[bytes], *, deadline: float) -> Iterator[Frame]:
    while head := _taken(answer, _HEAD.size, deadline):
        sign, length = _HEAD.unpack(head)
        if length > _LONGEST_FRAME:
            raise UnreadableFile("damaged")
        payload = _taken(answer, length, deadline)
        if len(payload) < length:
            break
        frame = Frame(Kind(sign), payload)
        if frame.kind is Kind.REFUSED:
            raise UnreadableFile(frame.document["code"], **frame.document["params"])
        yield frame
    if status := _ended(process, deadline):
        log.warning("The process that read a file ended with %s.", status)
        raise UnreadableFile("too_demanding" if status in _LARGER_THAN_ALLOWED else "damaged")


def _ended(process: subprocess.Popen[bytes], deadline: float) -> int:
    """Return how the child ended; one that has nothing more to say and does not end is given up."""
    try:
        return process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _taken(answer: IO[bytes], length: int, deadline: float) -> bytes:
    """Take so many bytes, or none when the child has ended; a child that says nothing for too long is given up."""
    taken = bytearray()
    while len(taken) < length:
        if not select.select([answer], [], [], max(0, deadline - time.monotonic()))[0]:
            raise UnreadableFile("too_demanding")
        block = answer.read(length - len(taken))
        if not block:
            return b""
        taken += block
    return bytes(taken)
