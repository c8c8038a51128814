"""`python -m trainer.job.ending CODE [FAILURES]`: judges how the job ended, for the entry script that ran it.

Prints the train report and exits with the exit code of the contract. FAILURES is a file with the FAILURE lines that the job printed.
Only the standard library is imported: the report must come also where no package can be imported.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer.job.contract import (
    MARKER_LOG,
    STAGE_AFTER,
    UNCLASSIFIED,
    ExitStatus,
    Marker,
    Variable,
    exit_code_of,
    furthest,
    markers_in,
    report_text,
    stated_cause,
)

_NOT_THERE = "N/A"


def ended(code: int, failures: Sequence[str], environ: Mapping[str, str]) -> tuple[int, dict[str, object]]:
    """The exit code that the job's own `code` becomes, and the fields of the train report."""
    last = furthest(_markers(environ))
    code = exit_code_of(code, last)
    done = code == ExitStatus.DONE and last is Marker.SAVED
    stage = STAGE_AFTER[Marker.MODEL_OK if code == ExitStatus.DATA else last]
    checkpoint = _existing(environ.get(Variable.CHECKPOINT, ""))
    return code, {
        "objective_status": "success" if done else "blocked",
        "first_failed_step": "none" if done else stage.name,
        "cause": "none" if done else stated_cause(failures) or UNCLASSIFIED,
        "exit_code": code,
        "last_marker": last or "none",
        "manifest_path": _existing(environ.get(Variable.MANIFEST, "")),
        "train_status_path": _existing(environ.get(Variable.STATUS, "")),
        "checkpoint_path": checkpoint,
        "checkpoint_sha256": _NOT_THERE if checkpoint == _NOT_THERE else _sha256(checkpoint),
    }


def main(arguments: Sequence[str]) -> int:
    """Print the report; returns the exit code."""
    code, *files = arguments
    failures = _plain_bytes(Path(files[0])).decode("utf-8", "replace").splitlines() if files else []
    exit_code, fields = ended(int(code), failures, os.environ)
    print(report_text(fields), flush=True)
    return exit_code


def _markers(environ: Mapping[str, str]) -> tuple[Marker, ...]:
    status = environ.get(Variable.STATUS)
    if not status:
        return ()
    text = _plain_bytes(Path(status).with_name(MARKER_LOG)).decode("utf-8", "replace")
    return markers_in(text, environ.get(Variable.RUN_ID, ""))


def _plain_bytes(path: Path) -> bytes:
    """The content of a plain file; nothing where there is no such file."""
    if _existing(str(path)) == _NOT_THERE:
        return b""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _existing(path: str) -> str:
    """The path, if a plain file lies there."""
    try:
        return path if path and stat.S_ISREG(os.lstat(path).st_mode) else _NOT_THERE
    except OSError:
        return _NOT_THERE


def _sha256(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return _NOT_THERE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
