"""What the examining process looks at: manifest and clips, checkpoint, and the losses of the learning proof."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.files.printable import NAME_WIDTH, printable

_MAX_SETTINGS = 100
_SHOWN_HELD_OUT, _TEXT_WIDTH, _LONGEST_CLIP_S = 3, 300, 120.0
PICTURE_SUFFIX = ".png"
_MiB, _GiB = 2**20, 2**30
_CLIPS_FLOOR, _CLIPS_TIMES = 256 * _MiB, 64
"""All clips together: so many bytes, or so many times as many as the recording (speech of 16 kbit/s as WAV is 22 times as large)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What is examined, as the harness says it; the paths are absolute."""

    workspace: str
    manifest: str
    checkpoint: str
    listening: str
    """Folder of the run with copies of clips that a person may listen to."""
    audio_bytes: int
    max_checkpoint_bytes: int
    backbone: Mapping[str, Any]
    """As `trainer.backbones.BackboneSettings`."""
    environment: Mapping[str, str]
    """The objective's variables: settings of the training are among them."""
    seed: int
    threads: int

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return {**asdict(self), "backbone": dict(self.backbone), "environment": dict(self.environment)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one piece of work may use beyond what the process uses already."""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: float


class ArtifactExamination:
    """One method for each piece of work; their names are the requests that the harness may make."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._manifest, self._checkpoint = Path(brief.manifest), Path(brief.checkpoint)
        self._prepared: Any = None

    def manifest(self) -> dict[str, Any]:
        """Facts of the manifest, every clip hashed; raises DataError."""
        from trainer.dataset import manifest as manifests

        found, sha256 = manifests.load_with_digest(self._manifest)
        manifests.verify_clips(found, self._manifest.parent, max_bytes=clips_bytes(self._brief))
        settings = dict(list(found.preparation.settings.items())[:_MAX_SETTINGS])
        return {
            "bytes": os.lstat(self._manifest).st_size,
            "sha256": sha256,
            "entries": len(found.entries),
            "dropped": len(found.dropped),
            "audio_sha256": found.source.sha256,
            "settings": {name[:NAME_WIDTH]: value for name, value in settings.items()},
        }

    def dataset(self) -> dict[str, Any]:
        """What a page shows of the manifest: minutes, what was dropped and why, and some held-out clips; raises DataError."""
        from trainer.dataset import manifest as manifests

        found, sha256 = manifests.load_with_digest(self._manifest)
        reasons: dict[str, list[float]] = {}
        for one in found.dropped:
            counted = reasons.setdefault(one.reason, [0, 0.0])
            counted[0] += 1
            counted[1] += one.end_s - one.start_s
        held_out = found.split(manifests.HELD_OUT)[:_SHOWN_HELD_OUT]
        return {
            "sha256": sha256,
            "source_s": found.source.duration_s,
            "train_minutes": found.summary["train_minutes"],
            "held_out_minutes": found.summary["held_out_minutes"],
            "dropped": {reason: [count, round(seconds, 2)] for reason, (count, seconds) in reasons.items()},
            "held_out": [[one.path, one.sha256, printable(one.transcript, _TEXT_WIDTH)] for one in held_out],
        }

    def sounds(self) -> dict[str, Any]:
        """Seconds by name of every clip in the folder that is a sound; its mel spectrogram is written beside it as a PNG."""
        from acceptance.pages import picture
        from trainer.evaluation import sounds

        seconds = {}
        for clip, wave, rate in sounds.of_folder(Path(self._brief.listening), longest_s=_LONGEST_CLIP_S):
            seconds[clip.name] = round(len(wave) / rate, 3)
            clip.with_suffix(PICTURE_SUFFIX).write_bytes(picture.mel(wave, rate))
        return seconds

    def checkpoint(self) -> dict[str, Any]:
        """Size and digests of the checkpoint, and what it calls itself; raises CheckpointError."""
        from trainer.files import tensor_archive

        archive = tensor_archive.read(self._checkpoint, max_bytes=self._brief.max_checkpoint_bytes)
        form = archive.document.get("format")
        return {
            "bytes": archive.bytes,
            "sha256": archive.sha256,
            "content_sha256": tensor_archive.content_sha256(archive.document),
            "format": printable(form[:1000], NAME_WIDTH) if isinstance(form, str) else "",
        }

    def start(self) -> dict[str, Any]:
        """Measure what needs no trained weights; `losses` uses it where the manifest is still the same. Raises as `losses`."""
        self._prepared = self._backbone().measure_start(
            self._manifest, seed=self._brief.seed, threads=self._brief.threads
        )
        return {}

    def losses(self) -> dict[str, Any]:
        """The losses of the learning proof, from the files alone; raises CheckpointError, DataError and RuntimeSetupError."""
        return self._backbone().measure(
            self._checkpoint,
            self._manifest,
            seed=self._brief.seed,
            threads=self._brief.threads,
            prepared=self._prepared,
        )

    def _backbone(self) -> Any:
        from trainer import backbones

        chosen = backbones.BackboneSettings(**self._brief.backbone)
        return backbones.build(chosen, self._brief.environment, workspace=Path(self._brief.workspace))


def clips_bytes(brief: Brief) -> int:
    """So many bytes may the clips of a manifest have together."""
    return max(_CLIPS_FLOOR, _CLIPS_TIMES * brief.audio_bytes)


def allowance(work: str, brief: Brief) -> Allowance:
    """What a piece of work may use. A small hostile file ends within 10 s and 1 GB; honest large ones get more, by their size."""
    if work in ("dataset", "sounds"):
        return Allowance(memory_bytes=2 * _GiB, cpu_seconds=60, wall_seconds=120.0)
    if work in ("manifest", "checkpoint"):
        size = clips_bytes(brief) if work == "manifest" else _size(brief)
        seconds = 8 + size // (50 * _MiB)
        return Allowance(
            memory_bytes=512 * _MiB + (3 * size if work == "checkpoint" else 0),
            cpu_seconds=seconds,
            wall_seconds=2 + 4 * seconds,
        )
    memory = (24 if brief.backbone["name"] == "musicgen-small" else 6) * _GiB + 8 * _size(brief)
    return Allowance(memory_bytes=memory, cpu_seconds=1200, wall_seconds=600.0)


def _size(brief: Brief) -> int:
    try:
        return min(os.lstat(brief.checkpoint).st_size, brief.max_checkpoint_bytes)
    except OSError:
        return 0
