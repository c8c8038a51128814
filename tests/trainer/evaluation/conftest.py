"""Short synthetic speech to judge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.trainer.evaluation.spoken import Clip
from trainer.synthesis.sentences import SENTENCES
from trainer.teachers import espeak
from trainer.teachers.espeak import SpeechRequest

LENGTH_S = 2.4


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    """The beginnings of the first three sentences by espeak-ng: so long that DNSMOS judges one window each."""
    spoken = espeak.speak_all([SpeechRequest(text=text) for text in SENTENCES[:3]])
    return [
        Clip(name=str(index + 1), wave=wave[: round(LENGTH_S * rate)], sample_rate=rate, text=SENTENCES[index])
        for index, (wave, rate) in enumerate(spoken)
    ]


@pytest.fixture
def folder(clips: list[Clip], tmp_path: Path) -> Path:
    """The same clips as `voice_01.wav` .. `voice_03.wav`."""
    for clip in clips:
        soundfile.write(tmp_path / f"voice_{int(clip.name):02d}.wav", clip.wave, clip.sample_rate)
    return tmp_path


@pytest.fixture(scope="session")
def noise() -> np.ndarray:
    """A second of faint noise at 22.05 kHz."""
    return (0.01 * np.random.default_rng(4).standard_normal(22_050)).astype(np.float32)
