"""The learning proof of a voice: it judges what will speak, so that no part of a checkpoint can be spoilt without showing."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from trainer.backbones.adapter import learning
from trainer.backbones.adapter.adapt import Adaptation
from trainer.backbones.adapter.spoken import speaker_of
from trainer.training import determinism


def embed(wave: np.ndarray) -> np.ndarray:
    """Nothing of the wave: the tiny base was never told what an embedding is."""
    return np.linspace(0.0, 1.0, 256, dtype=np.float32)


@pytest.fixture(scope="module")
def learnt(request) -> tuple[Adaptation, learning.Start]:
    """A small adaptation that learnt, and the start of its proof."""
    determinism.fix(1)
    made = {name: request.getfixturevalue(name) for name in ("base", "training", "held_out")}
    settings = request.getfixturevalue("learning_settings")
    adaptation = Adaptation(settings=settings, seed=3, embedding=torch.linspace(0.0, 1.0, 256), **made)
    adaptation.run()
    measured = speaker_of(made["training"], adaptation.embedding)
    return adaptation, learning.measure_start(made["base"], made["held_out"], speaker=measured, embed=embed)


def measured(learnt: tuple[Adaptation, learning.Start], **changes) -> dict[str, float]:
    adaptation, start = learnt
    acoustic, vocoder = adaptation._finished_models()
    voice = {"acoustic": acoustic, "vocoder": vocoder, "speaker": adaptation.speaker, **changes}
    return learning.losses(start, **voice)


def noise(model: torch.nn.Module, size: float = 0.5) -> torch.nn.Module:
    spoilt = copy.deepcopy(model)
    with torch.no_grad():
        for weight in spoilt.parameters():
            weight.copy_(size * torch.randn(weight.shape, generator=determinism.generator(1)))
    return spoilt


def test_a_voice_that_learnt_has_lower_losses_in_every_part_and_the_recordings_speaker(learnt):
    found = measured(learnt)
    assert found["improvement"] > 0.02
    for part in learning.PARTS:
        assert found[f"{part}_loss_trained"] <= found[f"{part}_loss_start"], part
    assert found["speaker_difference"] == pytest.approx(0.0, abs=1e-6)
    assert found["heldout_utterances"] == 2 and found["heldout_seconds"] == pytest.approx(
        2 * 84 * 256 / 22_050, abs=0.02
    )


def test_the_job_and_the_host_say_the_same(learnt):
    adaptation, _ = learnt
    assert adaptation.learning(embed) == measured(learnt)


def test_a_vocoder_of_noise_shows(learnt):
    whole, spoilt = measured(learnt), measured(learnt, vocoder=noise(learnt[0]._finished_models()[1]))
    assert spoilt["heldout_loss_trained"] > whole["heldout_loss_trained"]
    assert spoilt["vocoder_loss_trained"] > 1.2 * spoilt["vocoder_loss_start"]


def test_a_speaker_who_is_not_the_recordings_shows(learnt):
    speaker = learnt[0].speaker
    turned = dataclasses.replace(speaker, embedding=-speaker.embedding)
    assert measured(learnt, speaker=turned)["speaker_difference"] == pytest.approx(2.0, abs=1e-5)
    higher = dataclasses.replace(speaker, log_f0_mean=speaker.log_f0_mean + 0.5)
    assert measured(learnt, speaker=higher)["speaker_difference"] == pytest.approx(0.5, abs=1e-5)
    shifted = dataclasses.replace(speaker, mel_shift=speaker.mel_shift + 2.0)
    assert measured(learnt, speaker=shifted)["improvement"] < 0


@pytest.mark.parametrize(("part", "network"), [("prosody", "prosody"), ("frames", "decoder")])
def test_a_network_of_noise_shows_in_its_own_loss(part: str, network: str, learnt):
    acoustic = copy.deepcopy(learnt[0]._finished_models()[0])
    setattr(acoustic, network, noise(getattr(acoustic, network), 2.0))
    found = measured(learnt, acoustic=acoustic)
    assert found[f"{part}_loss_trained"] > 1.2 * found[f"{part}_loss_start"]


def test_measuring_leaves_a_model_that_is_being_trained_in_training(learnt, held_out):
    acoustic, vocoder = (copy.deepcopy(model).train() for model in learnt[0]._finished_models())
    learning.whole_loss(acoustic, vocoder, held_out, learnt[0].speaker)
    assert acoustic.training and vocoder.training
