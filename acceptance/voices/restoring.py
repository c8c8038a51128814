"""Which voice lies at a checkpoint path, and putting a kept one there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from acceptance.evidence.untrusted_file import identify_if_regular
from acceptance.failure import HarnessError
from acceptance.objectives import output_folders
from acceptance.record.makers import certifier
from acceptance.voices import store
from acceptance.voices.certificate import certificate
from acceptance.voices.store import Version


def standing(workspace: Path, versions: Iterable[Version]) -> dict[str, str | None]:
    """Checkpoint path of the versions -> SHA-256 of the file that lies there now; None if there is no plain file."""
    paths = sorted({str(version.report["checkpoint"]["path"]) for version in versions if version.problem is None})
    found = {path: identify_if_regular(workspace / path) for path in paths}
    return {path: identity.sha256 if identity else None for path, identity in found.items()}


def keep_standing(workspace: Path, path: Path) -> Path:
    """Keep a checkpoint that an acceptance run of this workspace certified; returns where it lies.

    Raises HarnessError(checkpoint_missing | not_certified), and as `store.keep`.
    """
    found = identify_if_regular(path)
    if found is None:
        raise HarnessError(
            f"{path}: no plain file lies there; name the checkpoint of a run: voice keep FILE",
            cause="checkpoint_missing",
        )
    made_by = certifier(workspace, found.sha256)
    if made_by is None:
        raise HarnessError(
            f"{path}: no acceptance run of {workspace} certified this file (sha256 {found.sha256[: store.SHOWN]}); train it: pytest acceptance -q",
            cause="not_certified",
        )
    return store.keep(workspace, path, certificate(made_by))


def put_back(workspace: Path, version: Version, *, overwrite: bool) -> tuple[str, str | None]:
    """Put a version at the checkpoint path of its run; returns that path and the SHA-256 of what lay there, None if nothing did.

    What lies there is kept first if a run certified it; any other file is replaced only with `overwrite`. Call it while holding the workspace's
    lock. Raises HarnessError(output_exists | artifact_mismatch), and as `store.keep`.
    """
    store.sound(version)
    relative = str(version.report["checkpoint"]["path"])
    target = _inside(workspace, relative)
    before = identify_if_regular(target)
    if before is not None and before.sha256 != version.sha256 and not store.holds(workspace, before.sha256):
        if certifier(workspace, before.sha256) is not None:
            keep_standing(workspace, target)
        elif not overwrite:
            raise HarnessError(
                f"{target} (sha256 {before.sha256[: store.SHOWN]}) is kept nowhere and would be lost; copy it away, or give --overwrite",
                cause="output_exists",
            )
    elif before is None and (target.exists() or target.is_symlink()):
        raise HarnessError(f"{target} is no plain file; move it away, then run again", cause="output_exists")
    target.parent.mkdir(parents=True, exist_ok=True)
    store.copy(version.path, target, sha256=version.sha256)
    return relative, before.sha256 if before else None


def _inside(workspace: Path, relative: str) -> Path:
    """The target below the workspace; a report that names another place is refused with HarnessError(artifact_mismatch)."""
    path, root = PurePosixPath(relative), workspace.resolve()
    evidence = [root / place for place in output_folders.EVIDENCE]
    folder = (workspace / path).parent.resolve()
    outside = path.is_absolute() or ".." in path.parts or not folder.is_relative_to(root)
    if outside or any(folder == place or place in folder.parents for place in evidence):
        raise HarnessError(
            f"{relative}: the version's report names a place that is no output of a run; copy it yourself",
            cause="artifact_mismatch",
        )
    return workspace / path
