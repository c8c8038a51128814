"""The voice that a workspace's newest success certified, and the run that stands for a file."""

from __future__ import annotations

from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.record import workspace
from acceptance.record.makers import certifier
from acceptance.report import block
from acceptance.verdict import ObjectiveStatus
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError


def newest(directory: Path) -> tuple[Path, str]:
    """(checkpoint, id) of the newest run of a workspace that ended in success.

    Raises HarnessError: checkpoint_missing where there is no such run, artifact_mismatch where the file is another one now.
    """
    for run in reversed(workspace.run_dirs(directory)):
        try:
            record = workspace.load_run(run)
        except ValueError:
            continue  # `voice report` says what is wrong with it
        if record.voice_verdict().status is ObjectiveStatus.SUCCESS:
            values = block.values(record)
            path = directory / values["checkpoint_path"]
            return path, _certified_by(directory, path, values["checkpoint_sha256"], run.name)
    raise HarnessError(
        f"no run under {directory / workspace.RUNS} ended in success; train one (pytest acceptance -q), or name a voice: --checkpoint VOICE",
        cause="checkpoint_missing",
    )


def _certified_by(directory: Path, path: Path, sha256: str, run: str) -> str:
    """The run that certified the file: the newest one, or an earlier one whose voice was put back; raises HarnessError."""
    try:
        found = plain_file.sha256(path)
    except PlainFileError as error:
        raise HarnessError(
            f"{path}, the voice of run {run}, {error}; put a kept one there (voice versions, voice rollback), or name a voice: --checkpoint VOICE",
            cause="checkpoint_missing",
        ) from error
    if found == sha256:
        return run
    earlier = certifier(directory, found)
    if earlier is None:
        raise HarnessError(
            f"{path} is not the file that run {run} certified (sha256 {found[:12]}, not {sha256[:12]}); put a kept one there (voice versions, "
            f"voice rollback), or name it: --checkpoint {path}",
            cause="artifact_mismatch",
        )
    return earlier.run_id
