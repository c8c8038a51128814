"""Checkpoints as voices of the benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.evaluation.spoken import Clip
from trainer.audio import features
from trainer.errors import TrainingError
from trainer.evaluation import voices
from trainer.files import checkpoint, plain_file
from trainer.models.acoustic import AcousticConfig, AcousticModel, Speaker
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.voice import base, shipped_files
from trainer.voice.base import Base
from trainer.voice.document import document

ACOUSTIC = AcousticConfig(
    width=16,
    hidden=24,
    encoder_blocks=1,
    decoder_blocks=2,
    prosody_width=12,
    prosody_hidden=16,
    prosody_blocks=1,
    speaker=8,
)


def models() -> Base:
    return Base(
        acoustic=AcousticModel.untrained(ACOUSTIC, seed=0).eval(),
        vocoder=Vocoder.untrained(VocoderConfig(width=16, hidden=32, blocks=1), seed=0).eval(),
    )


@pytest.fixture
def voice_file(tmp_path: Path) -> Path:
    """An untrained voice whose variance was adapted."""
    number = torch.tensor
    speaker = Speaker(
        embedding=torch.full((256,), 1.0 / 16.0), mel_mean=torch.full((features.MELS,), -4.0), mel_deviation=torch.ones(features.MELS),
        log_f0_mean=number(5.0), log_f0_deviation=number(0.2), log_duration=number(2.0),
        mel_gain=torch.full((features.MELS,), 1.5), mel_shift=torch.zeros(features.MELS), f0_gain=number(1.2),
    )  # fmt: skip
    parts = models()
    path = tmp_path / "voice.pt"
    path.write_bytes(
        checkpoint.serialise(document(acoustic=parts.acoustic, vocoder=parts.vocoder, speaker=speaker, training={}))
    )
    return path


def test_copy_has_the_words_length_and_is_the_same_again(voice_file: Path, clips: list[Clip]) -> None:
    found = voices.from_checkpoint(voice_file)
    first, rate = voices.copied(found.vocoder, clips[0].wave, 16_000)
    assert rate == features.SAMPLE_RATE and np.isfinite(first).all()
    assert abs(len(first) - len(clips[0].wave) * rate / 16_000) <= features.HOP
    assert (voices.copied(found.vocoder, clips[0].wave, 16_000)[0] == first).all()
    assert found.checkpoint_sha256 == plain_file.sha256(voice_file)


def test_base_knows_the_speaker_but_nothing_that_adaptation_found(
    voice_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "load", models)
    monkeypatch.setattr(shipped_files, "hashes", lambda: {"acoustic.pt": "12"})
    adapted = voices.from_checkpoint(voice_file)
    speaker = voices.before_adaptation(adapted).speaker
    assert torch.equal(speaker.embedding, adapted.speaker.embedding) and torch.equal(
        speaker.mel_mean, adapted.speaker.mel_mean
    )
    assert (speaker.mel_gain == 1.0).all() and float(speaker.f0_gain) == 1.0


def test_what_is_no_voice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "voice.pt"
    path.write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=r"voice\.pt"):
        voices.from_checkpoint(path)


def test_other_programs_speak(clips: list[Clip]) -> None:
    found = voices.programs()
    wave, rate = found["espeak-ng"](clips[0].text)
    assert rate == 22_050 and (wave[: len(clips[0].wave)] == clips[0].wave).all()
    assert all(len(found[name](clips[0].text)[0]) > rate for name in found.keys() - {"espeak-ng"})
