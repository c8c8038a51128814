"""A job whose recogniser is not there says so before the recording is read, with a cause and the folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.training


def test_weights_that_are_not_there_end_the_job_before_the_recording_is_read(
    job_environment: Callable[..., dict[str, str]], trainer_command: list[str], tmp_path: Path
) -> None:
    environment = {
        name: value
        for name, value in job_environment(
            tmp_path,
            VOICE_BACKBONE_NAME="natural",
            VOICE_RECOGNISER_NAME="whisper",
            VOICE_RECOGNISER_WEIGHTS="nowhere",
        ).items()
        if not name.startswith("VOICE_TRAIN_")
    }
    done = subprocess.run(
        [*trainer_command, "run"], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 20, done.stdout + done.stderr
    assert "FAILURE cause=recogniser_missing message=nowhere: no such folder" in done.stdout
    status = json.loads((tmp_path / "status/train_status.json").read_text())
    assert (status["status"], status["cause"]) == ("failed", "recogniser_missing")
    assert not (tmp_path / "data").exists() or not any((tmp_path / "data").iterdir())
