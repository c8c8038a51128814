"""Adapters learn on the miniature model as the loop promises: the loss falls, the base stays, runs repeat and resume to the bit."""

import io
from dataclasses import replace

import pytest
import torch

from trainer.backbones.musicgen import adapters, training, weights
from trainer.backbones.musicgen import base as bases
from trainer.backbones.musicgen.training import AdapterTrainer
from trainer.errors import TrainingError
from trainer.files.checkpoint import serialise

pytestmark = pytest.mark.training


@pytest.fixture
def trainer(seeded_folder, speech, tiny_settings):
    def build(**changes) -> AdapterTrainer:
        base = bases.load(weights.inspect(seeded_folder))
        return AdapterTrainer(
            base=base, settings=replace(tiny_settings, **changes), seed=3, utterances=speech[0], held_out=speech[1]
        )

    return build


def test_training_lowers_the_held_out_loss_and_changes_only_adapters(trainer):
    run = trainer(steps=12)
    before = {name: value.clone() for name, value in run.base.model.state_dict().items()}
    learning = run.run()
    assert learning["improvement"] > 0.05
    assert learning["heldout_loss_trained"] < learning["heldout_loss_start"]
    assert learning["control_improvement"] is not None
    assert [row[0] for row in learning["history"]] == [0, 3, 6, 9, 12]
    for name, value in run.base.model.state_dict().items():
        assert ("lora_" in name) or torch.equal(value, before[name]), name
    assert any(not torch.equal(value, before[name]) for name, value in run.base.model.state_dict().items())


def test_the_model_ends_with_its_best_adapters(trainer):
    run = trainer(steps=6, learning_rate=0.5)
    run.run()
    for name, value in adapters.weights(run.base.decoder).items():
        assert torch.equal(value, run.best.weights[name])


def test_two_runs_give_the_same_bytes(trainer):
    runs = [trainer(), trainer()]
    assert runs[0].run() == runs[1].run()
    assert serialise({"w": runs[0].best.weights}) == serialise({"w": runs[1].best.weights})


@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_a_restored_run_ends_like_an_uninterrupted_one(stop_after, trainer):
    whole = trainer()
    expected = whole.run()
    saved = {}
    first = trainer()
    first.hooks.save_state = lambda state: saved.update(data=serialise(state))
    first.hooks.stop_requested = lambda: first.step == stop_after
    with pytest.raises(TrainingError, match="continue") as stopped:
        first.run()
    assert stopped.value.cause == "interrupted"
    second = trainer()
    second.restore(torch.load(io.BytesIO(saved["data"]), weights_only=True))
    assert second.step == stop_after
    assert second.run() == expected
    assert serialise({"w": second.best.weights}) == serialise({"w": whole.best.weights})


def test_a_state_holds_nothing_of_the_base(trainer):
    run = trainer()
    run._measure_start()
    assert all("lora_" in name for name in run.state()["model"])
    assert len(serialise(run.state())) < 100_000


def test_a_loss_that_is_not_finite_ends_the_run_and_is_counted(trainer, monkeypatch):
    failed = []
    run = trainer()
    run.hooks.on_failure = failed.append
    monkeypatch.setattr(training, "loss", lambda base, example: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(TrainingError) as error:
        run.run()
    assert error.value.cause == "non_finite_loss"
    assert failed[0]["nonfinite_losses"] == 1


def test_a_gradient_that_is_not_finite_ends_the_run_before_the_weights_change(trainer):
    run = trainer()
    run._measure_start()
    name, weight = next(iter(adapters.parameters(run.base.decoder).items()))
    before = weight.detach().clone()
    weight.register_hook(lambda gradient: torch.full_like(gradient, float("inf")))
    with pytest.raises(TrainingError) as error:
        run.run()
    assert error.value.cause == "non_finite_loss", name
    assert run.learning()["nonfinite_gradients"] == weight.numel()
    assert torch.equal(weight.detach(), before)
