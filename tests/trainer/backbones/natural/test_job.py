"""The natural backbone as a container runs it: the contract is kept, a killed job ends in the same bytes, and the proof can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from tests.trainer.backbones.job import Job
from trainer import backbones
from trainer.backbones import outside_the_job
from trainer.files import plain_file
from trainer.synthesis import checkpoint_voice

pytestmark = pytest.mark.training
TINY = {
    "VOICE_BACKBONE_NAME": "natural",
    "VOICE_NATURAL_SPECTRAL_STEPS": "2", "VOICE_NATURAL_ADVERSARIAL_STEPS": "2", "VOICE_NATURAL_SEGMENT_FRAMES": "40",
    "VOICE_NATURAL_JUDGED_FRAMES": "20", "VOICE_NATURAL_EVALUATE_EVERY": "4", "VOICE_NATURAL_SAVE_EVERY": "1",
    "VOICE_NATURAL_HELDOUT_SECONDS": "12",
}  # fmt: skip


class NaturalJob(Job):
    settings: ClassVar[Mapping[str, str]] = TINY


def test_a_killed_job_ends_in_the_bytes_of_one_without_a_break(spoken_table: Path, tmp_path: Path) -> None:
    whole, job = (NaturalJob(spoken_table, tmp_path / name) for name in ("whole", "killed"))
    assert whole.here()[0] == 0
    job.killed(lambda line: line.startswith("PROGRESS 3"))
    code, output = job.here()
    assert code == 0 and "continuing from the saved state at step" in output
    assert job.voice.read_bytes() == whole.voice.read_bytes()
    status = whole.status_now()
    assert status["status"] == "completed" and status["checkpoint_sha256"] == plain_file.sha256(whole.voice)
    learning = status["learning"]
    assert learning == job.status_now()["learning"]
    manifest = whole.outputs / "data/manifest.json"
    measured = outside_the_job.measure(whole.voice, manifest, TINY, seed=3, threads=1)
    assert {name: learning[name] for name in measured} == pytest.approx(measured, rel=1e-6)
    assert backbones.of_format(backbones.FORMATS["natural"]) == "natural"
    assert checkpoint_voice.load(whole.voice).say("Hello there.").seconds > 0.5
