"""The learning proof of a natural voice: what learnt no speaker gains nothing, whatever it does to the spectrum."""

import copy

import pytest
import torch

from trainer.backbones.natural import learning
from trainer.backbones.natural.learning import NaturalStart
from trainer.models.natural import NaturalModel
from trainer.models.natural.sound import BINS

HIGHEST_HZ = 10_000.0
LOUDNESS = (0, 2, 3)
"""Of the decoder's outputs for a bin: the magnitudes of harmonics, noise and residual."""


@pytest.fixture(scope="module")
def start(request: pytest.FixtureRequest) -> NaturalStart:
    return learning.measure_start(request.getfixturevalue("base"), request.getfixturevalue("gathered"))


def improvements(start: NaturalStart, model: NaturalModel) -> tuple[float, float]:
    found = learning.losses(start, model, start.speaker)
    return found["improvement"], found["control_improvement"]


def equalised(model: NaturalModel, gains: torch.Tensor) -> NaturalModel:
    """The model with (BINS,) nepers added to every magnitude that its output layer gives."""
    found = copy.deepcopy(model)
    with torch.no_grad():
        bias = found.decoder.output.bias.view(-1, BINS)
        for row in LOUDNESS:
            bias[row] += gains
    return found


def test_the_base_itself_gains_nothing(start, base):
    target, control = improvements(start, start.fitted)
    assert target <= 0.0 and control == pytest.approx(0.0, abs=1e-6)


def test_an_equaliser_is_no_learning(start, base):
    made, recorded = learning.spectra(start.fitted, start.target, HIGHEST_HZ)
    wanted = torch.nn.functional.interpolate(
        (recorded - made).median(dim=1).values[None, None], size=BINS, mode="linear", align_corners=True
    )[0, 0]
    voice = equalised(start.fitted, wanted)
    bare = learning.whole_loss(start.fitted, start.target, HIGHEST_HZ)
    assert learning.whole_loss(voice, start.target, HIGHEST_HZ) < 0.95 * bare  # it did move the spectrum
    assert improvements(start, voice)[0] < 0.05


@pytest.mark.parametrize("nepers", [-2.0, 0.7, 3.0])
def test_a_louder_or_softer_base_gains_nothing(nepers, start, base):
    assert improvements(start, equalised(start.fitted, torch.full((BINS,), nepers)))[0] <= 0.0


@pytest.mark.parametrize("size", [0.01, 0.1, 1.0])
def test_noise_in_the_decoder_is_no_learning(size, start):
    spoilt = copy.deepcopy(start.fitted)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in spoilt.decoder.parameters():
            weight += size * weight.std(correction=0) * torch.randn(weight.shape, generator=generator)
    assert improvements(start, spoilt)[0] < 0.05


def test_a_start_that_was_told_the_spectrum_is_never_further_than_one_that_was_not(start, base):
    assert start.target_loss <= learning.whole_loss(base, start.target, HIGHEST_HZ)
    assert start.control_loss <= learning.whole_loss(base, start.control, HIGHEST_HZ)


def test_what_is_told_twice_says_the_same(start, base):
    first, second = (learning.told_loss(base, start.target, HIGHEST_HZ) for _ in range(2))
    assert first == second == pytest.approx(start.target_loss, rel=1e-5)  # the fixture may have used more threads
