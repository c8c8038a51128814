"""The journal: what was appended is read back; a torn end is forgiven at every byte, damage before it never."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceptance.record.journal import Journal, read
from tests.acceptance.records import json_values

events = st.dictionaries(st.text(max_size=10), json_values, max_size=4)


def written(directory: str, entries: list[dict]) -> Path:
    path = Path(directory) / "events.jsonl"
    journal = Journal(path)
    for entry in entries:
        journal.append(entry)
    journal.close()
    assert journal.failure is None
    return path


@settings(max_examples=60)
@given(st.lists(events, max_size=6))
def test_what_was_appended_is_read_back(entries: list[dict]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        assert list(read(written(directory, entries))) == entries


@given(st.data())
@settings(max_examples=10)
def test_a_last_line_torn_at_any_byte_is_left_out(data: st.DataObject) -> None:
    entries = [*data.draw(st.lists(events, max_size=2)), {"event": "fact", "name": "ü", "value": [1.5, "]}"]}]
    with tempfile.TemporaryDirectory() as directory:
        path = written(directory, entries)
        whole = path.read_bytes()
        start = whole[:-1].rfind(b"\n") + 1
        for end in range(start, len(whole)):
            path.write_bytes(whole[:end])
            expected = entries if end == len(whole) - 1 else entries[:-1]
            assert list(read(path)) == expected
            path.write_bytes(whole[:end] + b"\0" * 7)
            assert list(read(path)) == entries[:-1]


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"nonsense", b"[" * 200_000, b"x" * 17_000_000, b"[]", b"3", b'{"a": 1} {"b": 2}', b"\xff\xfe"],
)
def test_a_damaged_line_before_the_last_is_an_error_that_names_it(tmp_path: Path, damage: bytes) -> None:
    path = written(str(tmp_path), [{"n": number} for number in range(3)])
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], damage, lines[2], b""]))
    if damage == b"":
        assert [event["n"] for event in read(path)] == [0, 2]
        return
    with pytest.raises(ValueError, match=r"events\.jsonl: line 2 is not an event"):
        list(read(path))


def test_every_event_is_on_the_disk_before_append_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    for number in range(3):
        journal.append({"n": number})
        assert len(list(read(journal.path))) == number + 1
    journal.close()
    journal.append({"n": 4})
    assert len(list(read(journal.path))) == 3


def test_a_disk_that_refuses_is_remembered_and_not_raised(tmp_path: Path) -> None:
    missing = Journal(tmp_path / "nowhere" / "events.jsonl")
    missing.append({"n": 1})
    assert missing.failure == "events.jsonl: No such file or directory"
    if Path("/dev/full").exists():
        full = Journal(Path("/dev/full"))
        full.append({"n": 1})
        assert full.failure == "full: No space left on device"


def short_write(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """The next write takes `size` bytes, and the one after it none: a disk that fills."""
    real, left = os.write, [size]

    def write(descriptor: int, data: bytes) -> int:
        if not left:
            monkeypatch.undo()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data[: left.pop()])

    monkeypatch.setattr(os, "write", write)


def refuse_truncation(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file that may only be appended to."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "ftruncate", refuse)


@pytest.mark.parametrize("truncatable", [True, False])
@pytest.mark.parametrize("size", [1, 5, 8])
def test_a_write_that_fails_half_way_costs_only_its_own_event(tmp_path: Path, truncatable: bool, size: int) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.append({"n": 1})
    for number in (2, 3):
        with pytest.MonkeyPatch.context() as patched, pytest.MonkeyPatch.context() as disk:
            if not truncatable:
                refuse_truncation(patched)
            short_write(disk, size)
            journal.append({"n": number})
    torn = journal.path.read_bytes()
    assert (torn == b'{"n": 1}\n') is truncatable
    assert [event["n"] for event in read(journal.path)][:1] == [1]
    journal.append({"n": 4})
    journal.append({"n": 5})
    journal.close()
    assert journal.failure == "events.jsonl: No space left on device"
    kept = [event["n"] for event in read(journal.path)]
    assert [number for number in kept if number != 2] == [1, 4, 5]
    assert 2 not in kept or (not truncatable and size >= 8), "only a line that lacks nothing but its newline may count"


def test_a_journal_that_was_left_torn_is_healed_by_its_next_writer(tmp_path: Path) -> None:
    path = written(str(tmp_path), [{"n": 1}, {"n": 2}])
    path.write_bytes(path.read_bytes()[:-3])
    journal = Journal(path)
    journal.append({"n": 3})
    journal.close()
    assert [event["n"] for event in read(path)] == [1, 3]


def test_two_writers_never_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    child = os.fork()
    journal = Journal(path)
    for number in range(50):
        journal.append({"who": child != 0, "n": number, "filler": "x" * 500})
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(read(path))) == 100
    lines = path.read_bytes().splitlines()
    assert lines and all(json.loads(line)["filler"] for line in lines)
