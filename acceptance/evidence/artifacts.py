"""The artifacts of a run: each check reads one file that the container wrote, trusts nothing in it, and returns facts for the report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceptance.evidence import train_status
from acceptance.evidence.child import ExaminationError, Examiner
from acceptance.evidence.outputs import Outputs
from acceptance.evidence.recording import SourceRecording
from acceptance.evidence.untrusted_file import UntrustedFileError, opened, read
from acceptance.failure import TrainFailed
from acceptance.objective import Settings
from trainer.files.printable import quoted

NO_ROOM_BYTES = 2**20
"""No checkpoint is smaller: an output that is missing or cut on a disk with less than this could not be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """Where the run's artifacts are and what they must belong to."""

    settings: Settings
    outputs: Outputs
    recording: SourceRecording
    run_id: str
    examiner: Examiner
    """What opens manifest, clips and checkpoint; the status is as small as an answer about it would be, and is read here."""
    thresholds: Mapping[str, float]
    """What the preparation was told by the policy, by the names that the manifest's settings have."""
    ended_well: bool
    """Whether the job ended by itself with success; else a file from before it is taken for missing, not for this run's."""

    def require(self, name: str) -> None:
        """An output is a plain file of this run; raises TrainFailed <name>_missing or <name>_invalid."""
        if not self.ended_well and self.outputs.is_stale(name):
            raise self._failed(name, f"the run's {name}: not written", f"{name}_missing")
        try:
            with opened(self.outputs.path(name)):
                return
        except UntrustedFileError as error:
            cause = f"{name}_missing" if error.missing else f"{name}_invalid"
            raise self._failed(name, f"the run's {name}: {error}", cause) from error

    def manifest(self) -> dict[str, Any]:
        """The manifest follows its schema, was prepared under the policy, and every clip is there with its digest; raises TrainFailed."""
        self.require("manifest")
        try:
            found = self.examiner.ask("manifest")
        except ExaminationError as error:
            raise self._failed("manifest", str(error), "manifest_invalid") from error
        if not found["entries"]:
            raise TrainFailed(
                "the manifest has no entries", cause="manifest_invalid", path=self.outputs.paths["manifest"]
            )
        self._check_thresholds(found["settings"])
        return {name: value for name, value in found.items() if name != "settings"}

    def _check_thresholds(self, used: Mapping[str, float]) -> None:
        """A manifest that says which thresholds it was made with says those of the policy."""
        others = [
            f"{name} {used[name]:g}, not {told:g}"
            for name, told in self.thresholds.items()
            if used.get(name, told) != told
        ]
        if others:
            raise TrainFailed(
                f"prepared under other thresholds than the policy's: {', '.join(others)}; "
                "let the job prepare with the VOICE_PREPARE_* that it is told, or give the policy the thresholds that are meant",
                cause="manifest_invalid",
                path=self.outputs.paths["manifest"],
            )

    def status(self) -> dict[str, Any]:
        """The train status as strict JSON, whatever it says; raises TrainFailed status_missing or status_invalid."""
        self.require("status")
        try:
            return train_status.parse(read(self.outputs.path("status"), limit=train_status.MAX_BYTES))
        except (train_status.StatusError, UntrustedFileError) as error:
            raise self._failed("status", f"train status: {error}", "status_invalid") from error

    def completed(self, status: dict[str, Any]) -> train_status.CompletedStatus:
        """The status says completed and holds everything that the contract asks for; raises TrainFailed."""
        if status.get("status") != "completed":
            raise TrainFailed(
                f"the train status says {str(status.get('status'))!r}, not completed: {status.get('cause')}: {status.get('message')}",
                cause="status_not_completed",
            )
        try:
            return train_status.completed(status)
        except train_status.StatusError as error:
            raise self._failed("status", f"train status: {error}", "status_invalid") from error

    def checkpoint(self) -> dict[str, Any]:
        """The checkpoint is a whole torch archive of tensors and plain containers; raises TrainFailed."""
        self.require("checkpoint")
        try:
            found = self.examiner.ask("checkpoint")
        except ExaminationError as error:
            failed = error.failed
            cause = "checkpoint_unsafe" if failed.cause == "unsafe_pickle" else "checkpoint_invalid"
            raise self._failed(
                "checkpoint", f"checkpoint: {error}", cause, finding=failed.cause or failed.kind
            ) from error
        form = found.pop("format")
        if self.settings.remeasure and form != self.settings.checkpoint_format:
            raise TrainFailed(
                f"checkpoint: its format is {quoted(form)}, not {self.settings.checkpoint_format!r}",
                cause="checkpoint_invalid",
                path=self.outputs.paths["checkpoint"],
                finding="wrong_format",
            )
        return found

    def check_bound(
        self, manifest: dict[str, Any], status: train_status.CompletedStatus, checkpoint: dict[str, Any]
    ) -> None:
        """All artifacts were written by this run, from this recording, and name each other's digests; raises TrainFailed."""
        stale = [name for name in self.outputs.paths if self.outputs.is_stale(name)]
        if stale or status.run_id != self.run_id:
            names = ", ".join(self.outputs.paths[name] for name in stale) or self.outputs.paths["status"]
            raise TrainFailed(f"not written by this run: {names}", cause="stale_artifact", stale=names)
        pairs = {
            "status.audio_sha256": (status.audio_sha256, self.recording.sha256),
            "manifest.source.sha256": (manifest["audio_sha256"], self.recording.sha256),
            "status.manifest_sha256": (status.manifest_sha256, manifest["sha256"]),
            "status.checkpoint_sha256": (status.checkpoint_sha256, checkpoint["sha256"]),
            "status.content_sha256": (status.content_sha256, checkpoint["content_sha256"]),
            "status.seed": (status.seed, self.settings.seed),
            "status.step": (status.step, status.steps_total),
        }
        differing = {
            key: f"claimed {claimed}, found {found}" for key, (claimed, found) in pairs.items() if claimed != found
        }
        if differing:
            raise TrainFailed(
                f"artifacts do not belong together: {', '.join(differing)}", cause="artifact_mismatch", **differing
            )

    def _failed(self, name: str, message: str, cause: str, **evidence: object) -> TrainFailed:
        """The failure of an output; its cause is `disk_full` where the disk has no room left. An unsafe checkpoint stays unsafe."""
        if cause != "checkpoint_unsafe" and _has_no_room(self.outputs.path(name).parent):
            cause = "disk_full"
        return TrainFailed(message, cause=cause, path=self.outputs.paths[name], **evidence)


def _has_no_room(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < NO_ROOM_BYTES or (disk.f_files > 0 and disk.f_favail == 0)
