"""The training loop: it learns speech, does not learn noise, counts what breaks, and continues bit for bit."""

import dataclasses
import io

import numpy as np
import pytest
import torch

from trainer.backbones.vocoder import evaluation
from trainer.backbones.vocoder.settings import TrainSettings
from trainer.backbones.vocoder.training import Trainer
from trainer.dataset import loading, manifest
from trainer.errors import TrainingError
from trainer.files.checkpoint import serialise
from trainer.training.loop import Hooks

pytestmark = pytest.mark.training


@pytest.fixture(scope="session")
def speech(small_manifest):
    """(training utterances, held-out side) of the small recording."""
    entries = manifest.load(small_manifest).split("train")
    return loading.load(small_manifest.parent, entries), evaluation.load_held_out(small_manifest, max_seconds=6.0)


def trainer(speech, settings, *, utterances=None, **hooks) -> Trainer:
    return Trainer(
        settings=settings,
        seed=1,
        utterances=utterances or speech[0],
        held_out=speech[1],
        hooks=Hooks(**hooks),
    )


def learnable(settings: TrainSettings) -> TrainSettings:
    return dataclasses.replace(
        settings,
        steps=60,
        batch_size=4,
        segment_frames=32,
        evaluate_every=30,
        width=48,
        hidden=96,
        learning_rate=3e-3,
    )


def test_training_on_speech_beats_the_start_and_gains_less_on_a_wrong_voice(speech, tiny_settings):
    learning = trainer(speech, learnable(tiny_settings)).run()
    assert learning["improvement"] > 0.02
    assert learning["control_improvement"] < learning["improvement"] / 2
    assert [row[0] for row in learning["history"]] == [0, 30, 60]
    assert learning["nonfinite_losses"] == learning["nonfinite_gradients"] == 0


def test_training_on_white_noise_does_not_beat_the_start(speech, tiny_settings):
    generator = np.random.default_rng(0)
    noise = [
        loading.from_wave(generator.normal(0, 0.06, len(utterance.wave)).astype(np.float32)) for utterance in speech[0]
    ]
    assert trainer(speech, learnable(tiny_settings), utterances=noise).run()["improvement"] < 0.005


def test_a_learning_rate_of_zero_learns_nothing(speech, tiny_settings):
    learning = trainer(speech, dataclasses.replace(tiny_settings, learning_rate=0.0)).run()
    assert learning["improvement"] == 0.0
    assert learning["control_improvement"] == 0.0


def test_the_best_weights_are_kept_not_the_last(speech, tiny_settings):
    ruined = dataclasses.replace(tiny_settings, learning_rate=0.5, steps=12)
    run = trainer(speech, ruined)
    learning = run.run()
    heldout = {row[0]: row[2] for row in learning["history"]}
    assert heldout[run.best.step] == min(heldout.values()) == learning["heldout_loss_trained"]
    assert run.best.step < 12


def test_a_loss_that_is_not_finite_ends_the_run_at_once(speech, tiny_settings):
    broken = [loading.from_wave(utterance.wave.numpy().copy()) for utterance in speech[0][:2]]
    for utterance in broken:
        utterance.wave[:] = torch.nan
    run = trainer(speech, tiny_settings, utterances=broken)
    with pytest.raises(TrainingError, match="nan") as caught:
        run.run()
    assert caught.value.cause == "non_finite_loss"
    assert (run.step, run.counts.nonfinite_losses) == (1, 1)


def test_gradients_that_are_not_finite_are_counted_before_clipping_and_end_the_run(speech, tiny_settings):
    run = trainer(speech, tiny_settings)
    bias = run.model.output.bias
    bias.register_hook(lambda gradient: gradient * torch.inf)
    before = bias.detach().clone()
    with pytest.raises(TrainingError, match="gradient") as caught:
        run.run()
    assert caught.value.cause == "non_finite_loss"
    assert run.learning()["nonfinite_gradients"] == bias.numel()
    assert torch.equal(bias.detach(), before)


def test_two_runs_give_the_same_bytes(speech, tiny_settings):
    runs = [trainer(speech, tiny_settings) for _ in range(2)]
    assert runs[0].run() == runs[1].run()
    assert serialise({"w": runs[0].best.weights}) == serialise({"w": runs[1].best.weights})


@pytest.mark.parametrize("stop_after", [0, 1, 4, 7])
def test_a_restored_run_ends_like_an_uninterrupted_one(stop_after, speech, tiny_settings):
    whole = trainer(speech, tiny_settings)
    expected = whole.run()
    saved = {}
    first = trainer(speech, tiny_settings, save_state=lambda state: saved.update(data=serialise(state)))
    first.hooks.stop_requested = lambda: first.step == stop_after
    with pytest.raises(TrainingError, match="continue"):
        first.run()
    second = trainer(speech, tiny_settings)
    second.restore(torch.load(io.BytesIO(saved["data"]), weights_only=True))
    assert second.step == stop_after
    assert second.run() == expected
    assert serialise({"w": second.best.weights}) == serialise({"w": whole.best.weights})
