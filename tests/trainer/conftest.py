"""Settings that train in seconds, and the environment of a job that does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from tests.acceptance.engines import docker, require_engine
from trainer.backbones.vocoder.settings import TrainSettings
from trainer.training import determinism

TINY = {"steps": 8, "batch_size": 2, "segment_frames": 16, "evaluate_every": 4, "save_every": 1, "heldout_seconds": 6.0,
        "width": 16, "hidden": 32, "blocks": 1, "warmup_steps": 2}  # fmt: skip


@pytest.fixture(autouse=True)
def fixed_threads():
    determinism.fix(2)
    yield
    torch.set_deterministic_debug_mode("default")


IMAGES = ("casimir-voice-train:latest", "voice-acceptance-demo:latest")


_PINS = re.findall(r"^[\w.-]+==\S+", (Path(__file__).parents[2] / "docker/requirements/image.lock").read_text(), re.M)
_HAS = (
    "import sys; from importlib.metadata import version; "
    "sys.exit(any(version(p.split('==')[0]) != p.split('==')[1] for p in sys.argv[1:]))"
)
"""Ends with 0 where every pin that it is given is installed: an image of yesterday is not the one that is meant."""


@pytest.fixture
def training_image() -> Iterator[str]:
    """A training image of this machine; the sources of the working tree are mounted over its own."""
    require_engine()
    for name in IMAGES:
        try:
            found = docker("image", "inspect", "-f", "{{.Id}}", name)
            docker("run", "--rm", "--network=none", found, "python", "-c", _HAS, *_PINS)
        except subprocess.CalledProcessError:
            continue
        yield found
        return
    pytest.skip(
        f"needs a training image with today's packages ({' or '.join(IMAGES)}): make acceptance or make demo builds it"
    )


@pytest.fixture
def tiny_settings() -> TrainSettings:
    """A network and a run of a few seconds."""
    return TrainSettings(**TINY)


@pytest.fixture(scope="session")
def job_environment(small_recording: Path) -> Callable[..., dict[str, str]]:
    """Environment of one container run with tiny settings, its outputs in a directory; keyword arguments replace variables."""

    def build(outputs: Path, **changes: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "RUN_ID": "run-1",
            "VOICE_WORKSPACE": str(small_recording.parent),
            "VOICE_SOURCE_AUDIO": str(small_recording),
            "MANIFEST_PATH": str(outputs / "data/manifest.json"),
            "TRAIN_STATUS_PATH": str(outputs / "status/train_status.json"),
            "CHECKPOINT_PATH": str(outputs / "checkpoints/voice.pt"),
            "SEED": "3",
            "NUM_THREADS": "2",
            "VOICE_BACKBONE_NAME": "vocoder",
            **{f"VOICE_TRAIN_{name.upper()}": str(value) for name, value in TINY.items()},
            **changes,
        }

    return build


@pytest.fixture(scope="session")
def trainer_command() -> list[str]:
    """How the container starts the trainer."""
    return [sys.executable, "-m", "trainer"]
