"""Events out of files: numbered, one at a time, none lost."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from portal.core.errors import Refusal
from portal.progress.facts import Unreadable
from portal.progress.files import LONGEST_LINE, events_of_file, events_of_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

UNREADABLE = Unreadable("unreadable_line")


def events(folder: Path, content: bytes, name: str = "events.dat") -> list[tuple[int, object]]:
    path = folder / name
    path.write_bytes(content)
    return textless(events_of_file(path))


def textless(found: Iterable[tuple[int, object]]) -> list[tuple[int, object]]:
    """Leave out what stood in the lines that could not be read."""
    return [(row, item._replace(text="") if isinstance(item, Unreadable) else item) for row, item in found]


def test_lines_are_numbered_as_they_stand(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"event_id": "a"}\r\n\r\nnot json\n{"event_id": "\xc3\xa9"}'
    assert events(tmp_path, content) == [(1, {"event_id": "a"}), (3, UNREADABLE), (4, {"event_id": "é"})]


def test_a_line_in_another_encoding_is_unreadable(tmp_path: Path) -> None:
    assert events(tmp_path, b'{"event_id": "a"}\n{"event_id": "\xe9"}\n')[1] == (2, UNREADABLE)


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    stream = io.BytesIO(b'{"a": "' + b"x" * (3 * LONGEST_LINE) + b'"}\n{"event_id": "b"}\n')
    assert textless(events_of_lines(stream)) == [(1, UNREADABLE), (2, {"event_id": "b"})]


def test_what_could_not_be_read_is_kept_in_part() -> None:
    ((_row, line),) = events_of_lines(io.BytesIO(b"\xff no json " + b"x" * 5_000))
    assert isinstance(line, Unreadable)
    assert line.text.startswith("\ufffd no json xxx")
    assert len(line.text) == 2_000


def test_a_deeply_nested_line_is_unreadable() -> None:
    assert textless(events_of_lines(io.BytesIO(b"[" * 60_000))) == [(1, UNREADABLE)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_recognised_by_its_header(tmp_path: Path, delimiter: str) -> None:
    header = delimiter.join(["event_id", "organisation", "progress"])
    row = delimiter.join(["oc-1", "laposte", "50"])
    assert events(tmp_path, f"\ufeff{header}\r\n{row}\r\n\r\n".encode(), "events.ndjson") == [
        (2, {"event_id": "oc-1", "organisation": "laposte", "progress": "50"})
    ]


def test_a_short_record_has_the_fields_it_has(tmp_path: Path) -> None:
    assert events(tmp_path, b"event_id,event\noc-1\n") == [(2, {"event_id": "oc-1"})]


def test_a_broken_record_is_unreadable_and_the_next_is_not(tmp_path: Path) -> None:
    content = b'event_id,event\n"oc"1,started\noc-2,started\n'
    assert events(tmp_path, content) == [(2, UNREADABLE), (3, {"event_id": "oc-2", "event": "started"})]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \n\n", "empty_file"),
        (b"%PDF-1.7\n", "unknown_format"),
        (b"name,age\n", "unknown_format"),
        (b"PK\x03\x04\x00\x00", "truncated"),
    ],
)
def test_what_holds_no_events_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        events(tmp_path, content, "events.csv")
    assert refused.value.code == code


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.ndjson", tmp_path):
        with pytest.raises(Refusal) as refused:
            list(events_of_file(path))
        assert refused.value.code == "unreadable_file"
