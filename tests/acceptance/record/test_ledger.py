"""The log of JSON lines: what was appended is read back, whatever is at the end of the file; nothing is lost without a trace."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceptance.failure import HarnessError
from acceptance.record import ledger
from tests.acceptance.records import json_values
from trainer.errors import TrainingError

objects = st.dictionaries(st.text(max_size=10), json_values, max_size=4)
garbage = st.one_of(
    st.binary(max_size=40),
    st.lists(
        st.sampled_from([b"\n", b"{", b"}", b'{"a": 1}', b"[]", b"\0", b"NaN", b'"', b"\xff", b" "]), max_size=8
    ).map(b"".join),
)


def values(path: Path) -> list[dict]:
    return [line.value for line in ledger.read(path).lines]


def filled(directory: str | Path, entries: list[dict]) -> Path:
    path = Path(directory) / "artifacts" / "history.jsonl"
    for entry in entries:
        ledger.append(path, entry)
    return path


@settings(max_examples=15)
@given(st.lists(objects, max_size=5))
def test_what_was_appended_is_read_back_in_order(entries: list[dict]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = filled(directory, entries)
        assert values(path) == entries
        assert not ledger.read(path).damage


@settings(max_examples=30)
@given(st.lists(objects, min_size=1, max_size=3), st.data())
def test_a_file_cut_anywhere_keeps_every_whole_line_and_takes_the_next(
    entries: list[dict], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = filled(directory, entries)
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        kept = entries[: whole[:cut].count(b"\n")]
        assert ledger.read(path).damage == ()
        assert values(path) == kept
        ledger.append(path, {"next": 1})
        assert values(path) == [*kept, {"next": 1}]
        torn = whole[:cut].rpartition(b"\n")[2]
        assert (ledger.torn_path(path).read_bytes() == torn + b"\n") if torn else not ledger.torn_path(path).exists()


@settings(max_examples=50)
@given(st.lists(objects, max_size=3), garbage)
def test_garbage_at_the_end_costs_no_record_and_is_kept(entries: list[dict], tail: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = filled(directory, entries)
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            file.write(tail)
        assert values(path)[: len(entries)] == entries
        ledger.append(path, {"next": 1})
        after = ledger.read(path)
        assert [line.value for line in after.lines][: len(entries)] == entries
        assert after.lines[-1].value == {"next": 1}
        left = path.read_bytes()
        aside = ledger.torn_path(path).read_bytes() if ledger.torn_path(path).exists() else b""
        assert all(piece in left or piece in aside for piece in tail.split(b"\n"))
        ledger.append(path, {"next": 2})
        assert ledger.read(path).lines[-2:] == (after.lines[-1], ledger.read(path).lines[-1])
        assert ledger.read(path).damage == after.damage


@pytest.mark.parametrize(
    "damage",
    [b"{", b"nonsense", b"[]", b"3", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": 1, "a": 2}', b"\xff\xfe", b'{"a":' * 99],
)
def test_a_damaged_line_in_the_middle_is_named_and_hides_no_other(tmp_path: Path, damage: bytes) -> None:
    path = filled(tmp_path, [{"n": number} for number in range(3)])
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], damage, lines[2], b""]))
    ledger.append(path, {"n": 3})
    contents = ledger.read(path)
    assert [line.value["n"] for line in contents.lines] == [0, 2, 3]
    assert [line.number for line in contents.lines] == [1, 3, 4]
    assert [found.number for found in contents.damage] == [2]


def test_a_missing_history_is_empty(tmp_path: Path) -> None:
    assert ledger.read(tmp_path / "nowhere" / "history.jsonl") == ledger.Contents()


def test_a_line_is_on_the_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, order, write, fsync = tmp_path / "history.jsonl", [], os.write, os.fsync
    inode = {}

    def watched_write(descriptor: int, data: bytes) -> int:
        order.append("write")
        inode[descriptor] = os.fstat(descriptor).st_ino
        return write(descriptor, data)

    def watched_fsync(descriptor: int) -> None:
        order.append("directory" if os.fstat(descriptor).st_ino == tmp_path.stat().st_ino else "file")
        fsync(descriptor)

    monkeypatch.setattr(ledger.os, "write", watched_write)
    monkeypatch.setattr(ledger.os, "fsync", watched_fsync)
    ledger.append(path, {"n": 1})
    assert order == ["write", "file", "directory"]
    assert set(inode.values()) == {path.stat().st_ino}


@pytest.mark.parametrize("size", [0, 1, 5])
def test_a_disk_that_fills_half_way_is_an_error_and_the_next_append_heals(tmp_path: Path, size: int) -> None:
    path = filled(tmp_path, [{"n": 1}])
    real, left = os.write, [size]
    with pytest.MonkeyPatch.context() as disk:

        def write(descriptor: int, data: bytes) -> int:
            if not left or not left[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(descriptor, data[: left.pop()])

        disk.setattr(ledger.os, "write", write)
        with pytest.raises(TrainingError) as refused:
            ledger.append(path, {"n": 2})
    assert refused.value.cause == "disk_full"
    assert values(path) == [{"n": 1}]
    ledger.append(path, {"n": 3})
    assert values(path) == [{"n": 1}, {"n": 3}]


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_a_history_that_is_no_plain_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "history.jsonl"
    if kind == "link":
        (tmp_path / "other.jsonl").write_text("")
        path.symlink_to("other.jsonl")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    for attempt in (lambda: ledger.read(path), lambda: ledger.append(path, {"n": 1})):
        with pytest.raises(HarnessError) as refused:
            attempt()
        assert refused.value.cause == "history_invalid"


def test_a_reader_in_the_middle_of_a_torn_file_does_not_see_the_healed_one(tmp_path: Path) -> None:
    path = filled(tmp_path, [{"n": 1}])
    with path.open("ab") as file:
        file.write(b'{"n": 2, "torn')
    with path.open("rb", buffering=0) as reader:
        begun = reader.read(12)
        ledger.append(path, {"n": 3})
        assert begun + reader.read() == b'{"n":1}\n{"n": 2, "torn'


def test_lines_are_canonical_json(tmp_path: Path) -> None:
    path = filled(tmp_path, [{"b": 1.5, "a": "ü\n\u2028"}])
    assert path.read_bytes() == b'{"a":"\\u00fc\\n\\u2028","b":1.5}\n'
    assert json.loads(path.read_bytes())


def test_a_line_that_is_known_is_returned_and_forced_to_the_disk_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path, [{"a": 1}, {"b": 2}])
    before, forced, fsync = path.read_bytes(), [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: (forced.append(os.readlink(f"/proc/self/fd/{descriptor}")), fsync(descriptor))
    )
    found = ledger.append(path, {"b": 2}, known=lambda lines: lines[-1])
    assert found == ledger.LedgerLine(number=2, value={"b": 2})
    assert path.read_bytes() == before and str(path) in forced


def test_what_is_torn_is_not_known(tmp_path: Path) -> None:
    path = filled(tmp_path, [{"a": 1}])
    path.write_bytes(path.read_bytes() + b'{"b": 2}')
    assert (
        ledger.append(path, {"b": 2}, known=lambda lines: next((line for line in lines if "b" in line.value), None))
        is None
    )
    assert values(path) == [{"a": 1}, {"b": 2}]
