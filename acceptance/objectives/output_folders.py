"""Where a job may write: into folders of its own, never over the evidence of runs, the harness, what is protected, git's data or the recording."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

OUTPUTS = ("manifest", "status", "checkpoint")
EVIDENCE = ("artifacts/runs", "artifacts/latest", "artifacts/voices")
GIT = ".git"
_HARNESS = Path(__file__).resolve().parents[1]


def conflict(
    outputs: Mapping[str, str], audio: str, protected: Sequence[str], workspace: Path, project: Path
) -> tuple[str, str] | None:
    """The first output whose folder the job must not own, and why, with the next step; None if all are its own.

    Folders are compared by where they really lie: behind links, and also with those of the project that the harness runs from.
    """
    root = _real(workspace)
    places = {root: "the workspace itself", _HARNESS: _HARNESS.name}
    for base, paths in ((workspace, (*EVIDENCE, GIT, *protected)), (project, (GIT, *protected))):
        # A protected link is protected itself, and so is what it leads to.
        places |= {
            place: path
            for path in paths
            for place in (_real((base / path).parent) / PurePosixPath(path).name, _real(base / path))
        }
    recording = _real(workspace / PurePosixPath(audio).parent)
    for key, path in outputs.items():
        given = PurePosixPath(path)
        folder = _real(workspace / given.parent)
        reason = _reason(folder, root, places)
        # The contract lets the manifest lie beside the recording, and nothing else.
        if reason is None and (folder in recording.parents or (folder == recording and key != "manifest")):
            reason = "leads to or above the recording"
        if reason is not None:
            other = shlex.quote(f"outputs/{given.name}")
            return key, (
                f"{given}: its folder {given.parent} {reason}, and the job may rewrite all that lies there; "
                f"give it a folder of its own: --set {key}={other}"
            )
    return None


def _reason(folder: Path, root: Path, places: Mapping[Path, str]) -> str | None:
    """How `folder` touches one of the named `places`, or git's data in a repository below the workspace."""
    for place, name in places.items():
        if folder == place or folder in place.parents:
            return f"leads to or above {name}"
        if place in folder.parents and place != root:
            return f"leads into {name}"
    return f"leads into {GIT}" if folder.is_relative_to(root) and GIT in folder.relative_to(root).parts else None


def _real(path: Path) -> Path:
    """Where `path` leads, existing or not; links that go round in a circle are no error."""
    return Path(os.path.realpath(path))
