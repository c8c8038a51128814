"""Where a job may write: into folders of its own, never over the evidence of runs, the harness, what is protected, git's data or the recording."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol

OUTPUTS = ("manifest", "status", "checkpoint")
EVIDENCE = ("artifacts/runs", "artifacts/latest", "artifacts/voices")
GIT = ".git"
_HARNESS = Path(__file__).resolve().parents[1]


class Places(Protocol):
    """What is asked of an objective: the recording, the outputs, and what is protected, all relative to the workspace."""

    @property
    def audio(self) -> str:
        """Path of the recording."""

    @property
    def manifest(self) -> str:
        """Path of the dataset's manifest."""

    @property
    def status(self) -> str:
        """Path of the training's status."""

    @property
    def checkpoint(self) -> str:
        """Path of the trained voice."""

    @property
    def protected(self) -> tuple[str, ...]:
        """Paths that no job may change."""


def conflict(settings: Places) -> tuple[str, str] | None:
    """The first output whose folder the job must not own, and why, with the next step; None where all are its own."""
    for key in OUTPUTS:
        folder = PurePosixPath(getattr(settings, key)).parent
        reason = _reason(key, folder, settings)
        if reason is not None:
            return key, _refusal(key, settings, reason)
    return None


def conflict_on_disk(settings: Places, workspace: Path, project: Path) -> tuple[str, str] | None:
    """As `conflict`, for where the folders really lie: behind links, and in the project that the harness runs from."""
    root = _real(workspace)
    places = {root: "the workspace itself", _HARNESS: _HARNESS.name}
    places |= {_real(workspace / path): path for path in (*EVIDENCE, GIT, *settings.protected)}
    places |= {_real(project / path): path for path in (GIT, *settings.protected)}
    recording = _real(workspace / PurePosixPath(settings.audio).parent)
    for key in OUTPUTS:
        given = PurePosixPath(getattr(settings, key)).parent
        folder = _real(workspace / given)
        for place, name in places.items():
            above = folder == place or folder in place.parents
            if above or (place in folder.parents and place != root):
                relation = "leads to or above" if above else "leads into"
                return key, _refusal(key, settings, f"its folder {given} {relation} {name}")
        if folder in recording.parents or (folder == recording and key != "manifest"):
            return key, _refusal(key, settings, f"its folder {given} leads to or above the recording")
    return None


def _reason(key: str, folder: PurePosixPath, settings: Places) -> str | None:
    if folder == PurePosixPath():
        return "its folder is the workspace itself"
    if GIT in folder.parts:
        return f"its folder {folder} is git's own"
    audio = PurePosixPath(settings.audio).parent
    # The contract lets the manifest lie beside the recording, and nothing else.
    if folder in audio.parents or (folder == audio and key != "manifest"):
        return f"its folder {folder} holds the recording"
    for path in _overlapping(folder, map(PurePosixPath, EVIDENCE)):
        return f"its folder {folder} {_relation(folder, path)} {path}, the evidence of the runs"
    for path in _overlapping(folder, map(PurePosixPath, settings.protected)):
        return f"its folder {folder} {_relation(folder, path)} {path}, which is protected"
    return None


def _overlapping(folder: PurePath, paths: Iterable[PurePath]) -> list[PurePath]:
    """Those of `paths` that are the folder, lie in it or hold it."""
    return [path for path in paths if folder == path or folder in path.parents or path in folder.parents]


def _real(path: Path) -> Path:
    """Where `path` leads, existing or not; links that go round in a circle are no error."""
    return Path(os.path.realpath(path))


def _relation(folder: PurePath, path: PurePath) -> str:
    return "is" if folder == path else "holds" if folder in path.parents else "lies in"


def _refusal(key: str, settings: Places, reason: str) -> str:
    given = PurePosixPath(getattr(settings, key))
    other = shlex.quote(f"outputs/{given.name}")
    return f"{given}: {reason}, and the job may rewrite all that lies there; give it a folder of its own: --set {key}={other}"
