"""The journal: what was appended is read back; a torn end is forgiven at every byte, damage before it never."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceptance.journal import Journal, read
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


@pytest.mark.parametrize("damage", [b"", b"{", b"nonsense", b"[]", b"3", b'{"a": 1} {"b": 2}', b"\xff\xfe"])
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
    assert all(json.loads(line)["filler"] for line in path.read_bytes().splitlines())
