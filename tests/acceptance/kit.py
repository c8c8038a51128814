"""A job in shell and what it delivers: recording, dataset, manifest, checkpoint and status, in a folder that is called a kit."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import soundfile
import torch

from trainer.dataset import manifest as manifests
from trainer.files import checkpoint

JOB = Path(__file__).with_name("job.sh")
"""Functions of a job that keeps the contract; it delivers a kit."""
TRAINER = Path(__file__).with_name("tiny_trainer.sh")
"""A whole job made of them; needs `JOB` beside it."""
RATE = 22_050


def write(directory: Path) -> Path:
    """Write recording, clips, manifest, checkpoint, and the status with two words to fill in; returns the directory."""
    noise = (0.1 * np.random.default_rng(0).standard_normal(2 * RATE)).astype("float32")
    soundfile.write(directory / "recording.wav", noise, RATE)
    (directory / "dataset").mkdir()
    for number in (1, 2):
        soundfile.write(directory / f"dataset/clip_{number}.wav", noise[(number - 1) * RATE : number * RATE], RATE)
    audio = (directory / "recording.wav").read_bytes()
    source = manifests.Source(
        path="data/recording.wav", bytes=len(audio), sha256=digest(audio), duration_s=2.0, sample_rate=RATE, channels=1
    )
    manifest = manifests.Manifest(
        preparation=manifests.Preparation(key=digest(audio), settings={}), source=source, transcript=None,
        entries=(_entry(1, "train", directory / "dataset"), _entry(2, "held_out", directory / "dataset")), dropped=(),
    )  # fmt: skip
    (directory / "manifest.json").write_bytes(manifests.dumps(manifest))
    document = {"format": "session-test/tiny", "model": {"weight": torch.arange(4.0)}}
    checkpoint.save(directory / "checkpoint.pt", document)
    learning = {
        "heldout_loss_start": 4.0, "heldout_loss_trained": 1.0, "improvement": 0.75, "control_loss_start": 4.0,
        "control_loss_trained": 3.0, "control_improvement": 0.25, "nonfinite_losses": 0, "nonfinite_gradients": 0,
    }  # fmt: skip
    status = {
        "status": "completed", "loss": 1.0, "run_id": "@RUN_ID@", "timestamp": "@NOW@", "audio_sha256": digest(audio),
        "manifest_sha256": digest((directory / "manifest.json").read_bytes()), "step": 100, "steps_total": 100, "device": "cpu",
        "checkpoint_sha256": digest((directory / "checkpoint.pt").read_bytes()), "seed": 0, "threads": 1, "learning": learning,
        "content_sha256": checkpoint.content_sha256(document),
    }  # fmt: skip
    (directory / "status.json").write_text(json.dumps(status))
    return directory


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _entry(number: int, split: str, directory: Path) -> manifests.Entry:
    return manifests.Entry(
        id=f"utt_{number}", path=f"clip_{number}.wav", sha256=digest((directory / f"clip_{number}.wav").read_bytes()),
        start_s=float(number - 1), end_s=float(number), duration_s=1.0, sample_rate=RATE, transcript="",
        transcript_sha256=digest(b""), transcript_source="none",
        transcript_confidence=0.0, split=split,
        quality=manifests.Quality(snr_db=20.0, clipping=0.0, loudness_lufs=-23.0),
    )  # fmt: skip
