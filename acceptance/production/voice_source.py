"""Which voice a production speaks with: its file, the run that certified it, and the dataset whose held-out clips it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.record import workspace as workspaces
from acceptance.record.makers import certifier
from acceptance.record.record import RunRecord
from acceptance.voices import certified, store
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSource:
    """A checkpoint and what is known of it."""

    checkpoint: Path
    sha256: str
    """Of the file as it lies there."""
    name: str | None = None
    """Of the objective that the run certified."""
    run: str | None = None
    """The run that certified these bytes; None if no run of the workspace did."""
    manifest: Path | None = None
    manifest_sha256: str | None = None
    """As the run recorded it."""
    recording: Path | None = None
    """The folder of the recording that the run learnt from."""


def find(workspace: Path, checkpoint: Path | None) -> VoiceSource:
    """The voice of a file or of a kept version's hash, else that of the newest success.

    Raises HarnessError: checkpoint_missing, artifact_mismatch, version_unknown.
    """
    named = store.named(workspace, checkpoint)
    if named is None:
        path, run = certified.newest(workspace)
        return of_record(workspace, path, workspaces.load_run(workspaces.find_run(workspace, run)))
    try:
        found = plain_file.sha256_through_links(named)
    except PlainFileError as error:
        raise HarnessError(
            f"{named}: {error}; give the checkpoint of a trained voice", cause="checkpoint_missing"
        ) from error
    record = certifier(workspace, found)
    return VoiceSource(checkpoint=named, sha256=found) if record is None else of_record(workspace, named, record)


def of_record(workspace: Path, checkpoint: Path, record: RunRecord) -> VoiceSource:
    """The voice of a run; raises HarnessError(checkpoint_missing | artifact_mismatch) for a file that the run did not check."""
    try:
        found = plain_file.sha256_through_links(checkpoint)
    except PlainFileError as error:
        raise HarnessError(
            f"{checkpoint}: {error}; give the checkpoint of a trained voice", cause="checkpoint_missing"
        ) from error
    recorded = record.checkpoint.get("sha256")
    if found != recorded:
        raise HarnessError(
            f"{checkpoint} is not the file that run {record.run_id} checked (sha256 {found[:12]}, not {str(recorded)[:12]}); put that one back "
            "(voice versions, voice rollback)",
            cause="artifact_mismatch",
        )
    settings = record.session.get("settings", {})
    return VoiceSource(
        checkpoint=checkpoint,
        sha256=found,
        name=settings.get("name"),
        run=record.run_id,
        manifest=workspace / str(settings["manifest"]),
        manifest_sha256=record.manifest.get("sha256"),
        recording=(workspace / str(settings["audio"])).parent,
    )
