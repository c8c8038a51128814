"""What many readers teach one decoder, in small: hums instead of speech, and a tiny network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
import torch

from tests.trainer.backbones.natural.conftest import CONFIG, said
from trainer.backbones.natural import segments
from trainer.errors import TrainingError
from trainer.models.natural import NaturalModel
from trainer.models.natural.many_speakers import ManySpeakers
from trainer.models.speaker_encoder import DIMENSIONS
from trainer.pretraining.reader_lessons import PreparedReader, learn

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.long]


@pytest.fixture(scope="module")
def base() -> NaturalModel:
    return NaturalModel.untrained(CONFIG, seed=0).eval()


@pytest.fixture(scope="module")
def readers(base: NaturalModel) -> list[PreparedReader]:
    return [
        PreparedReader(name=str(seed), pieces=(segments.prepared(base, said(seed, 84)),), vector=unit(seed))
        for seed in (1, 2)
    ]


def unit(index: int) -> torch.Tensor:
    """(256,) of length 1."""
    return torch.eye(DIMENSIONS)[index]


def taught(readers: Sequence[PreparedReader], base: NaturalModel, *, steps: int = 1, seed: int = 1) -> ManySpeakers:
    return learn(readers, base, unit(0), steps=steps, seed=seed, log=lambda line: None)


def distance(one: torch.nn.Module, other: torch.nn.Module) -> float:
    """Largest difference of two weights."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((ours - theirs).detach().abs().max()) for ours, theirs in pairs)


def test_equal_seeds_give_equal_weights_and_the_base_stays_as_it_was(
    readers: list[PreparedReader], base: NaturalModel
) -> None:
    untouched = NaturalModel.untrained(CONFIG, seed=0)
    torch.manual_seed(5)
    one = taught(readers, base, steps=5)
    torch.manual_seed(6)
    assert distance(one, taught(readers, base, steps=5)) == 0.0
    assert distance(one, taught(readers, base, steps=5, seed=2)) > 0.0
    assert distance(base, untouched) == 0.0 and distance(one.decoder, base.decoder) > 0.0


def test_the_centre_is_the_mean_of_the_readers(readers: list[PreparedReader], base: NaturalModel) -> None:
    assert torch.equal(taught(readers, base).centre, 0.5 * (unit(1) + unit(2)))


def test_the_progress_is_the_mean_loss_of_every_hundred_steps_and_of_the_last(
    readers: list[PreparedReader], base: NaturalModel
) -> None:
    lines: list[str] = []
    learn(readers, base, unit(0), steps=2, seed=1, log=lines.append)
    assert len(lines) == 1 and lines[0].startswith("step 2 of 2: spectral loss ")
    assert float(lines[0].split()[-1]) > 0.0


def test_a_loss_that_is_no_number_ends_the_training(readers: list[PreparedReader], base: NaturalModel) -> None:
    broken = dataclasses.replace(readers[0], vector=torch.full((DIMENSIONS,), float("nan")))
    with pytest.raises(TrainingError, match="loss at step 1 is nan") as caught:
        taught([readers[1], broken], base)
    assert caught.value.cause == "non_finite_loss"
