"""The workspace: one lock, one directory per run, `artifacts/latest`, and runs that died before they finished."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

from acceptance.evidence import outputs
from acceptance.objectives.output_folders import OUTPUTS
from acceptance.record import journal
from acceptance.record.record import RunRecord, from_events
from acceptance.verdict import ObjectiveStatus

RUNS = Path("artifacts/runs")
LATEST = Path("artifacts/latest")
JOURNAL = "events.jsonl"
_LOCK = Path("artifacts/.lock")
_LOCK_PATIENCE_S = 1.0
"""For so long the lock is waited for: whoever asks `is_live` holds it for a moment."""


class WorkspaceBusy(Exception):
    """Another session works on this workspace; the message says which process."""


def new_run_id() -> str:
    """A run id that sorts by time: `20260102T030405Z-1a2b3c`."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"


def lock(workspace: Path) -> FileLock:
    """Take the workspace for this process until it ends; raises WorkspaceBusy, or OSError where nothing can be written."""
    path = workspace / _LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path, timeout=_LOCK_PATIENCE_S)
    try:
        held.acquire()
    except Timeout as error:
        owner = path.with_suffix(".owner")
        who = owner.read_text(encoding="utf-8").strip() if owner.exists() else "an unknown process"
        raise WorkspaceBusy(
            f"another acceptance session works on this workspace ({who}); wait for it, or end it, then run again"
        ) from error
    path.with_suffix(".owner").write_text(f"process {os.getpid()}\n", encoding="utf-8")
    return held


def is_live(workspace: Path, run_id: str) -> bool:
    """Whether a session works on this run now: it is the newest, and the lock is held. Writes nothing."""
    try:
        import fcntl  # not on Windows, where no run of the objective can be live
    except ImportError:
        return False
    try:
        newest = os.readlink(workspace / LATEST)
        descriptor = os.open(workspace / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Path(newest).name == run_id
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(descriptor)


def make_run_dir(workspace: Path, run_id: str) -> Path:
    """Create the run's directory and point `artifacts/latest` at it; raises OSError."""
    directory = workspace / RUNS / run_id
    directory.mkdir(parents=True)
    latest = workspace / LATEST
    for leftover in latest.parent.glob(".latest-*"):  # of sessions that were killed right here; this one holds the lock
        leftover.unlink(missing_ok=True)
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
    """The directory of the named run, default the newest session's; raises FileNotFoundError saying where it looked.

    The newest is what `artifacts/latest` points at: a run's name holds the clock's time, and clocks go back.
    """
    known = run_dirs(workspace)
    latest = _latest(workspace)
    if name is None and latest is not None and latest in known:
        return latest
    matching = [path for path in known if name is None or path.name == name]
    if not matching:
        what = f"run {name!r}" if name else "any run"
        raise FileNotFoundError(
            f"no journal of {what} under {workspace / RUNS}; known: {', '.join(p.name for p in known[-5:]) or 'none'}"
        )
    return matching[-1]


def _latest(workspace: Path) -> Path | None:
    try:
        return workspace / RUNS / Path(os.readlink(workspace / LATEST)).name
    except OSError:
        return None


def load_run(directory: Path) -> RunRecord:
    """The record of a run from its journal; raises ValueError naming the file for a journal that does not hold, OSError."""
    try:
        return from_events(journal.read(directory / JOURNAL))
    except ValueError as error:
        said = str(error)
        raise ValueError(said if str(directory) in said else f"{directory / JOURNAL}: {said}") from error


def unfinished_runs(workspace: Path, *, besides: str) -> list[tuple[Path, RunRecord]]:
    """Directories and records of runs to settle, oldest first; call it only while holding the lock.

    They never finished (their session was killed), or still keep outputs that could not be restored. What a later run replaced in success
    stays as it is. Of a journal that is damaged the part before the damage counts: what its run left must not stay for ever.
    """
    found = [(directory, _readable_part(directory)) for directory in run_dirs(workspace) if directory.name != besides]
    found.sort(key=lambda run: (str(run[0].name).partition("-")[0], _began(run[1]), run[0].name))
    unsettled, replaced = [], frozenset[str]()
    for directory, record in reversed(found):
        kept = outputs.kept_paths(directory)
        if record.exit_status is None or (kept and not kept & replaced):
            unsettled.append((directory, record))
        if record.exit_status == 0 or (record.exit_status is not None and _voice_is_certified(record)):
            settings = record.session.get("settings")
            replaced |= {str(settings.get(name)) for name in OUTPUTS} if isinstance(settings, dict) else frozenset()
    return unsettled[::-1]


def _readable_part(directory: Path) -> RunRecord:
    record = RunRecord()
    with contextlib.suppress(OSError, ValueError):
        for event in journal.read(directory / JOURNAL):
            record.apply(event)
    return record


def _voice_is_certified(record: RunRecord) -> bool:
    """Whether a run keeps its outputs although it did not end in success: its voice is certified."""
    return bool(record.phases) and record.voice_verdict().status is ObjectiveStatus.SUCCESS


def _began(record: RunRecord) -> float:
    """Finer than the second in the run's id."""
    time_of_day = record.session.get("time")
    return float(time_of_day) if isinstance(time_of_day, int | float) else 0.0
