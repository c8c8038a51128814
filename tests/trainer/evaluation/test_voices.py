"""Checkpoints as voices of the benchmark."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from tests.trainer.evaluation.spoken import Clip
from tests.trainer.synthesis import untrained_voice
from trainer.errors import TrainingError
from trainer.evaluation import voices
from trainer.files import checkpoint, plain_file
from trainer.voice import natural_base
from trainer.voice.natural_speaker import NaturalSpeaker


def test_base_knows_the_speaker_but_nothing_that_adaptation_found(tmp_path: Path) -> None:
    speaker = NaturalSpeaker(f0=0.7, liveliness=1.2, rate=1.1)
    contents = untrained_voice.contents()
    checkpoint.save(tmp_path / "voice.pt", {**contents, "speaker": asdict(speaker)})
    adapted = voices.from_checkpoint(tmp_path / "voice.pt")
    assert adapted.checkpoint_sha256 == plain_file.sha256(tmp_path / "voice.pt")
    before = voices.before_adaptation(adapted)
    assert before.speaker == adapted.speaker == speaker
    ours, theirs = before.model.state_dict(), natural_base.load().state_dict()
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    assert "natural.pt " in before.checkpoint_sha256


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
