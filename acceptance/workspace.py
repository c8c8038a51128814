"""The workspace: one lock, one directory per run, `artifacts/latest`, and runs that died before they finished."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from acceptance import journal
from acceptance.record import RunRecord, from_events

RUNS = Path("artifacts/runs")
LATEST = Path("artifacts/latest")
JOURNAL = "events.jsonl"


class WorkspaceBusy(Exception):
    """Another session works on this workspace; the message says which process."""


def new_run_id() -> str:
    """A run id that sorts by time: `20260102T030405Z-1a2b3c`."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"


def lock(workspace: Path) -> FileLock:
    """Take the workspace for this process until it ends; raises WorkspaceBusy, or OSError where nothing can be written."""
    path = workspace / "artifacts" / ".lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path, timeout=0)
    try:
        held.acquire()
    except Timeout as error:
        owner = path.with_suffix(".owner")
        who = owner.read_text(encoding="utf-8").strip() if owner.exists() else "an unknown process"
        raise WorkspaceBusy(f"another acceptance session works on this workspace ({who}); wait for it, or end it, then run again") from error
    path.with_suffix(".owner").write_text(f"process {os.getpid()}\n", encoding="utf-8")
    return held


def is_live(workspace: Path) -> bool:
    """Whether a session works on this workspace now."""
    try:
        lock(workspace).release()
    except WorkspaceBusy:
        return True
    except OSError:
        return False
    return False


def make_run_dir(workspace: Path, run_id: str) -> Path:
    """Create the run's directory and point `artifacts/latest` at it; raises OSError."""
    directory = workspace / RUNS / run_id
    directory.mkdir(parents=True)
    latest = workspace / LATEST
    temporary = latest.with_name(f".latest-{run_id}")
    temporary.symlink_to(Path("runs") / run_id)
    os.replace(temporary, latest)
    return directory


def fallback_run_dir() -> Path:
    """A temporary directory for a run whose workspace cannot be written, so that its report exists all the same."""
    return Path(tempfile.mkdtemp(prefix="voice-acceptance-"))


def run_dirs(workspace: Path) -> list[Path]:
    """Directories of all runs, oldest first."""
    root = workspace / RUNS
    return sorted(path for path in root.iterdir() if (path / JOURNAL).is_file()) if root.is_dir() else []


def find_run(workspace: Path, name: str | None) -> Path:
    """The directory of the named run, default the newest; raises FileNotFoundError saying where it looked."""
    known = run_dirs(workspace)
    matching = [path for path in known if name is None or path.name == name]
    if not matching:
        what = f"run {name!r}" if name else "any run"
        raise FileNotFoundError(f"no journal of {what} under {workspace / RUNS}; known: {', '.join(p.name for p in known[-5:]) or 'none'}")
    return matching[-1]


def load_run(directory: Path) -> RunRecord:
    """The record of a run from its journal; raises ValueError for a journal that does not hold."""
    try:
        return from_events(journal.read(directory / JOURNAL))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{directory / JOURNAL}: an event is not one of this harness: {error!r}") from error


def unfinished_runs(workspace: Path, *, besides: str) -> Iterator[tuple[Path, RunRecord]]:
    """Directories and records of runs that never finished (their session was killed), oldest first; call it only while holding the lock."""
    for directory in run_dirs(workspace):
        if directory.name == besides:
            continue
        try:
            record = load_run(directory)
        except ValueError:
            continue
        if record.exit_status is None:
            yield directory, record

