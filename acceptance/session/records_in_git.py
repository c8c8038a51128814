"""The results of a session in git, when somebody asks for it: records only, never a source file, a recording or a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from acceptance.costs import tracker
from acceptance.record import workspace as workspaces
from acceptance.record.git_commit import CommitOutcome, commit_only
from acceptance.scorecards import runs
from acceptance.voices import registry

_RUN_FILES = ("report.json", "report.txt", "cycle.json")
_VOICE_FILES = ("current.json", "history.jsonl", "versions/*.json", "versions/*.sig")
_RECORDS = (
    tracker.LOG.as_posix(),
    runs.HISTORY.as_posix(),
    *(f"{workspaces.RUNS.as_posix()}/*/{name}" for name in _RUN_FILES),
    *(f"{registry.REGISTRY.as_posix()}/*/{name}" for name in _VOICE_FILES),
)
"""Patterns of all records, relative to the workspace. A consent record in `voices/` is the speaker's, not ours."""


def patterns_of(run_id: str, voice: str | None = None) -> list[str]:
    """Patterns of the records that a run may have changed: score history, cost log, its reports, the registry of its voice."""
    patterns = [tracker.LOG.as_posix(), runs.HISTORY.as_posix()]
    patterns += [f"{workspaces.RUNS.as_posix()}/{run_id}/{name}" for name in _RUN_FILES]
    if voice is not None:
        patterns += [f"{registry.REGISTRY.as_posix()}/{voice}/{name}" for name in _VOICE_FILES]
    return patterns


def records_of(workspace: Path, run_id: str, voice: str | None = None) -> list[Path]:
    """Those of `patterns_of` that are in this workspace."""
    found = (path for pattern in patterns_of(run_id, voice) for path in workspace.glob(pattern))
    return sorted(path.relative_to(workspace) for path in found)


def commit_records(workspace: Path, paths: Iterable[Path], message: str) -> CommitOutcome:
    """Commit records of a workspace, given by paths in it, and nothing else; says what was left out and why. Never raises.

    `records_of` gives those of a run.
    What somebody has staged stays staged, what somebody has changed stays changed, and an ignored record stays out of git.
    """
    wanted, others = list[Path](), dict[str, str]()
    for path in paths:
        name = path.relative_to(workspace) if path.is_absolute() and path.is_relative_to(workspace) else path
        if is_record(name):
            wanted.append(name)
        else:
            others[name.as_posix()] = "it is no record"
    outcome = commit_only(workspace, wanted, message)
    return replace(outcome, left_out={**others, **outcome.left_out})


def is_record(path: Path) -> bool:
    """Whether a path in a workspace is one that `commit_records` takes."""
    name = PurePosixPath(path.as_posix())
    return ".." not in name.parts and any(_matches(name, pattern) for pattern in _RECORDS)


def _matches(name: PurePosixPath, pattern: str) -> bool:
    """Folder by folder, so that a star stands for one of them."""
    parts: Sequence[str] = pattern.split("/")
    return len(parts) == len(name.parts) and name.match(pattern)
