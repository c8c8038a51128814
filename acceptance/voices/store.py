"""The store of certified voices in a workspace: two files per voice, named by the checkpoint's SHA-256.

A voice is copied, not linked: a job may rewrite its checkpoint in place, and a hard link would then change with it. The report is written
after the checkpoint, so a version that a killed session left half-written has none; the next session that settles the run completes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.voices.certificate import SCHEMA
from trainer.errors import TrainingError
from trainer.files import plain_file, strict_json
from trainer.files.atomic_file import remove_leftovers, replacing, sync_directory, unwritable, write_atomically
from trainer.files.plain_file import PlainFileError

VOICES = Path("artifacts/voices")
"""In the workspace."""
SHOWN = 12
"""So many digits name a version in what people read."""
_LEAST_DIGITS = 4
_MAX_REPORT_BYTES = 4 * 2**20
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One kept voice; `problem` says why it does not hold, None if it does."""

    sha256: str
    path: Path
    report: Mapping[str, Any] = field(default_factory=dict)
    """Empty if it cannot be read."""
    problem: str | None = None

    @property
    def short(self) -> str:
        """The name that people read and type."""
        return self.sha256[:SHOWN]


def keep(workspace: Path, source: Path, report: Mapping[str, Any]) -> Path:
    """Keep the checkpoint `source` with its report; nothing changes if it is kept already. Returns where it lies.

    Raises HarnessError(artifact_mismatch) if the file is not the one that the report names, TrainingError(disk_full | output_not_writable).
    """
    sha256 = str(report["checkpoint"]["sha256"])
    target = checkpoint_path(workspace, sha256)
    if holds(workspace, sha256):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(target, error) from error
    for path in (target, _report_path(target)):
        remove_leftovers(path)
    copy(source, target, sha256=sha256)
    try:
        write_atomically(_report_path(target), strict_json.readable(report, ascii_only=True))
    except TrainingError:
        with contextlib.suppress(OSError):
            target.unlink()
        raise
    return target


def copy(source: Path, target: Path, *, sha256: str) -> None:
    """Copy a checkpoint so that `target` appears whole and on the disk, with this SHA-256, or not at all; raises as `keep`."""
    try:
        with replacing(target) as stream:
            with plain_file.opened(source) as file:
                shutil.copyfileobj(file, stream, 2**20)
            stream.seek(0)
            found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != sha256:
                raise HarnessError(
                    f"{source} is not the checkpoint that was certified (sha256 {found[:SHOWN]}, not {sha256[:SHOWN]}); train again, or "
                    "put that file back", cause="artifact_mismatch",
                )  # fmt: skip
        sync_directory(target.parent)
    except PlainFileError as error:
        raise HarnessError(f"{source} {error}; train again, or put the file back", cause="artifact_mismatch") from error
    except OSError as error:
        raise unwritable(target, error) from error


def holds(workspace: Path, sha256: str) -> bool:
    """Whether this checkpoint is kept, whole and with its report."""
    return bool(_SHA256.fullmatch(sha256)) and _version(checkpoint_path(workspace, sha256)).problem is None


def listing(workspace: Path) -> list[Version]:
    """All versions, the oldest certificate first, those that do not hold last; every checkpoint is hashed."""
    folder = workspace / VOICES
    if not folder.is_dir():
        return []
    stems = {
        path.stem for path in folder.iterdir() if path.suffix in (".pt", ".json") and not path.name.startswith(".")
    }
    found = [_version(folder / f"{stem}.pt") for stem in stems]
    return sorted(
        found, key=lambda version: (version.problem is not None, str(version.report.get("certified")), version.sha256)
    )


def find(workspace: Path, name: str) -> Version:
    """The version whose SHA-256 begins with `name`; raises HarnessError(version_unknown | version_ambiguous)."""
    known = listing(workspace)
    matching = [version for version in known if len(name) >= _LEAST_DIGITS and version.sha256.startswith(name.lower())]
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(version.short for version in matching or known) or "none"
    if matching:
        raise HarnessError(
            f"{name!r} may be any of {len(matching)} versions: {names}; give more of the hash",
            cause="version_ambiguous",
        )
    raise HarnessError(
        f"no version in {workspace / VOICES} begins with {name!r} (at least {_LEAST_DIGITS} digits); kept are {names}: "
        f"{command(workspace, 'voice versions')}",
        cause="version_unknown",
    )


def objective_of(workspace: Path, sha256: str | None) -> str:
    """The name of the objective whose run made a kept checkpoint; raises as `find`."""
    return str(sound(find(workspace, sha256 or "")).report["objective"])


def named(workspace: Path, path: Path | None) -> Path | None:
    """What `--checkpoint` means: the file of that name, or else the kept version whose hash begins so. Raises as `find`, and for damage."""
    if path is None or path.exists() or not re.fullmatch(f"[0-9a-f]{{{_LEAST_DIGITS},64}}", str(path)):
        return path
    return sound(find(workspace, str(path))).path


def command(workspace: Path, words: str) -> str:
    """A `voice` command for this workspace, as it can be pasted."""
    return words if workspace == Path() else f"{words} --workspace {shlex.quote(str(workspace))}"


def sound(version: Version) -> Version:
    """The version itself; raises HarnessError(artifact_mismatch) if it does not hold."""
    if version.problem is not None:
        raise HarnessError(
            f"{version.path}: {version.problem}; it cannot be used; remove it: "
            f"{command(version.path.parents[len(VOICES.parts)], f'voice prune {version.short} --yes')}", cause="artifact_mismatch",
        )  # fmt: skip
    return version


def remove(version: Version) -> None:
    """Remove both files, the report first: what an interruption leaves is no version any more. Raises TrainingError."""
    try:
        for path in (_report_path(version.path), version.path):
            path.unlink(missing_ok=True)
        sync_directory(version.path.parent)
    except OSError as error:
        raise unwritable(version.path, error) from error


def remove_unfinished(workspace: Path) -> None:
    """Remove temporary files of killed writers; call it only while holding the workspace's lock."""
    remove_leftovers(workspace / VOICES / "*")


def checkpoint_path(workspace: Path, sha256: str) -> Path:
    """Where a checkpoint with this SHA-256 is kept."""
    return workspace / VOICES / f"{sha256}.pt"


def _report_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _version(path: Path) -> Version:
    try:
        found = plain_file.sha256(path)
    except PlainFileError as error:
        problem = "its checkpoint is gone" if error.cause == "missing" else f"its checkpoint {error}"
        return Version(sha256=path.stem, path=path, problem=problem)
    if found != path.stem:
        return Version(
            sha256=path.stem, path=path, problem=f"its checkpoint is another or damaged (sha256 {found[:SHOWN]})"
        )
    try:
        report = strict_json.loads(plain_file.read(_report_path(path), limit=_MAX_REPORT_BYTES))
        _check_report(report, path.stem)
    except PlainFileError as error:
        return Version(
            sha256=path.stem,
            path=path,
            problem="its report is missing" if error.cause == "missing" else f"its report {error}",
        )
    except ValueError as error:
        return Version(sha256=path.stem, path=path, problem=f"its report does not hold: {error}")
    return Version(sha256=path.stem, path=path, report=report)


def _check_report(report: Any, sha256: str) -> None:
    """Raises ValueError for what this module did not write for this checkpoint."""
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA!r}")
    for part in ("checkpoint", "recording", "manifest", "losses", "report"):
        if not isinstance(report.get(part), dict):
            raise ValueError(f"the part {part!r} is missing")
    if report["checkpoint"].get("sha256") != sha256 or not isinstance(report["checkpoint"].get("path"), str):
        raise ValueError("it is the report of another checkpoint")
