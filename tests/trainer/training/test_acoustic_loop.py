"""One step of an acoustic model: both networks learn, one without a rate stays, and what is not finite touches nothing."""

from dataclasses import dataclass, replace

import pytest
import torch

from tests.trainer.models.acoustic.test_model import SMALL, utterance
from trainer.errors import TrainingError
from trainer.models.acoustic import AcousticModel
from trainer.models.acoustic.examples import AcousticBatch, collate
from trainer.models.acoustic.losses import heldout_losses
from trainer.training.acoustic_loop import AcousticLoop
from trainer.training.loop import Pace


@dataclass(slots=True, kw_only=True)
class OneBatch(AcousticLoop):
    """Always the same batch at the same rates."""

    always: AcousticBatch
    peaks: dict[str, float]

    def __post_init__(self) -> None:
        self.pace = Pace(steps=30, peaks=self.peaks, warmup=0, schedule=lambda step, *, steps, peak, warmup: peak)
        self.adopt(AcousticModel.untrained(SMALL, seed=0), bfloat16=False)

    def batch(self) -> AcousticBatch:
        return self.always

    def evaluate(self) -> None:
        pass


def loop(frames: float, prosody: float, *, one=None) -> OneBatch:
    return OneBatch(always=collate([one or utterance(8)]), peaks={"frames": frames, "prosody": prosody})


def copied(loop: OneBatch) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in loop.model.named_parameters()}


def changed(loop: OneBatch, before: dict[str, torch.Tensor]) -> set[str]:
    assert before
    return {name.split(".")[0] for name, value in loop.model.named_parameters() if not torch.equal(value, before[name])}


def test_both_networks_learn_an_utterance_by_heart():
    run = loop(3e-3, 3e-3)
    before = heldout_losses(run.model, [run.always])
    assert run.train()
    after = heldout_losses(run.model, [run.always])
    assert after["frames"] < 0.9 * before["frames"] and after["prosody"] < 0.9 * before["prosody"]


def test_a_network_without_a_rate_stays_as_it_is():
    run = loop(1e-3, 0.0)
    before = copied(run)
    run.advance()
    assert changed(run, before) == {"decoder", "voice"}


def test_a_step_without_any_rate_changes_nothing():
    run = loop(0.0, 0.0)
    before = copied(run)
    run.advance()
    assert changed(run, before) == set()


def test_a_loss_that_is_no_number_touches_no_weight():
    one = utterance(8)
    run = loop(1e-3, 1e-3, one=replace(one, mel=one.mel * float("nan")))
    before = copied(run)
    with pytest.raises(TrainingError) as caught:
        run.advance()
    assert caught.value.cause == "non_finite_loss"
    assert run.counts.nonfinite_losses == 1
    assert changed(run, before) == set()


def test_a_gradient_that_is_not_finite_is_counted_by_network_and_touches_no_weight():
    run = loop(1e-3, 1e-3)
    run.model.voice.offset.register_hook(lambda gradient: gradient * torch.inf)
    before = copied(run)
    with pytest.raises(TrainingError, match="gradient of frames at step 1") as caught:
        run.advance()
    assert caught.value.cause == "non_finite_loss"
    assert run.counts.nonfinite_gradients == run.model.voice.offset.numel()
    assert changed(run, before) == set()
