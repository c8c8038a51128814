"""One miniature voice as a file and loaded; neither is to be changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.trainer.synthesis import untrained_voice
from trainer.synthesis import load
from trainer.synthesis.narrator import Narrator


@pytest.fixture(autouse=True)
def one_thread(fixed_threads: None) -> None:
    """As the command's default: two threads wait for each other longer than such a small network computes."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def voice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint."""
    return untrained_voice.write(tmp_path_factory.mktemp("voice") / "voice.pt")


@pytest.fixture(scope="session")
def voice(voice_file: Path) -> Narrator:
    """The same, ready to speak."""
    return load(voice_file)
