"""An append-only file of JSON lines that several processes write: what was acknowledged survives a crash, what was torn is never read.

The file only ever grows by whole lines or is replaced whole, so that readers need no lock. A writer that finds an unfinished or unreadable end
(another one died there) first moves those bytes into `<name>.torn`. The run's own journal (acceptance.record.journal) has one writer and marks its
torn lines in place instead: it must not lose the time of a second file while it records a dying session.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from acceptance.failure import HarnessError
from trainer.files import plain_file, strict_json
from trainer.files.atomic_file import remove_leftovers, sync_directory, unwritable, write_atomically
from trainer.files.plain_file import PlainFileError

MAX_BYTES = 2**30
_PATIENCE_S = 60.0
"""For so long another writer is waited for; an append takes milliseconds."""
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """One line that holds: its number from 1, and its object."""

    number: int
    value: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One finished line that does not hold, and why."""

    number: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All finished lines of a log. An unfinished end is left out: nobody was told that it is there."""

    lines: tuple[LedgerLine, ...] = ()
    damage: tuple[Damage, ...] = ()


def append(
    path: Path, value: Mapping[str, Any], *, known: Callable[[Sequence[LedgerLine]], LedgerLine | None] | None = None
) -> LedgerLine | None:
    """Add one object as canonical JSON; when this returns it is on the disk, and until then nothing is promised.

    `known` sees all lines while no other writer can add one; if it returns one that says the same already, nothing is added, that line is on
    the disk when this returns, and is returned. Raises TrainingError(disk_full | output_not_writable), HarnessError(history_busy), or
    HarnessError(history_invalid) where the path is no plain file.
    """
    line = strict_json.canonical(value).encode("ascii") + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_PATIENCE_S):
            _set_torn_end_aside(path)
            found = known(read(path).lines) if known is not None else None
            # Whoever wrote the line that is known may have died before it was on the disk.
            _write(path, b"" if found is not None else line)
            sync_directory(path.parent)  # always: who created the file may have died before it did this
            return found
    except Timeout as error:
        raise HarnessError(
            f"{path}: another process has held it for {_PATIENCE_S:.0f} s; end that process and run again",
            cause="history_busy",
        ) from error
    except PlainFileError as error:
        raise _unusable(path, error) from error
    except OSError as error:
        raise unwritable(path, error) from error


def read(path: Path) -> Contents:
    """Every finished line, each parsed strictly for itself; a missing file is an empty log. Raises HarnessError(history_invalid)."""
    try:
        finished, _, _ = plain_file.read(path, limit=MAX_BYTES).rpartition(b"\n")
    except PlainFileError as error:
        if error.cause in ("missing", "no_directory"):
            return Contents()
        raise _unusable(path, error) from error
    lines: list[LedgerLine] = []
    damage: list[Damage] = []
    for number, text in enumerate(finished.split(b"\n"), start=1):
        if not text:
            continue
        try:
            lines.append(LedgerLine(number=number, value=_parsed(text)))
        except ValueError as error:
            damage.append(Damage(number=number, problem=str(error)))
    return Contents(lines=tuple(lines), damage=tuple(damage))


def torn_path(path: Path) -> Path:
    """Where the bytes of unfinished and unreadable ends are kept."""
    return path.with_name(f"{path.name}.torn")


def _set_torn_end_aside(path: Path) -> None:
    """Move everything behind the last line that holds into the `.torn` file; call it only while holding the lock."""
    try:
        data = plain_file.read(path, limit=MAX_BYTES)
    except PlainFileError as error:
        if error.cause == "missing":
            return
        raise
    whole = data.rfind(b"\n") + 1
    while whole and not _holds(data[data.rfind(b"\n", 0, whole - 1) + 1 : whole - 1]):
        whole = data.rfind(b"\n", 0, whole - 1) + 1
    if whole < len(data):
        _write(torn_path(path), data[whole:] + b"\n")
        # Replaced, not truncated: a reader in the middle of the old file must not meet the next line at the place of the torn one.
        write_atomically(path, data[:whole])
        remove_leftovers(path)


def _write(path: Path, data: bytes) -> None:
    """Append and force to the disk; where the disk refuses half-way, the next writer sets that half aside. Raises OSError."""
    descriptor = os.open(path, _APPEND, 0o644)
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _holds(text: bytes) -> bool:
    if not text:
        return True
    try:
        _parsed(text)
    except ValueError:
        return False
    return True


def _parsed(text: bytes) -> dict[str, Any]:
    value = strict_json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _unusable(path: Path, error: PlainFileError) -> HarnessError:
    return HarnessError(f"{path} {error}; move it away, then score again", cause="history_invalid")
