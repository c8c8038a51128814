"""One job of the spectral adapter, with settings that train in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tests.trainer.backbones.job import Job

ACOUSTIC_STEPS, VOCODER_STEPS = 2, 2
TINY = {
    "acoustic_steps": ACOUSTIC_STEPS, "batch_frames": 600, "evaluate_every": 1, "warmup_steps": 1, "vocoder_steps": VOCODER_STEPS // 2,
    "vocoder_own_steps": VOCODER_STEPS // 2, "vocoder_batch": 2, "vocoder_frames": 16, "save_every": 1, "heldout_seconds": 12.0,
}  # fmt: skip


class AdapterJob(Job):
    settings: ClassVar[Mapping[str, str]] = {
        "VOICE_BACKBONE_NAME": "spectral-adapter",
        **{f"VOICE_ADAPT_{name.upper()}": str(value) for name, value in TINY.items()},
    }
