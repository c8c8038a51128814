"""A voice takes over a share of what was learnt, layer by layer."""

import dataclasses

import pytest
import torch

from tests.trainer.backbones.natural.conftest import CONFIG
from trainer.backbones.natural.moderation import moderated
from trainer.models.natural import NaturalModel


@pytest.fixture(scope="module")
def pair() -> tuple[NaturalModel, NaturalModel]:
    config = dataclasses.replace(CONFIG, blocks=8)
    base, learnt = (NaturalModel.untrained(config, seed=seed).eval() for seed in (0, 1))
    return base, learnt


def share(name: str, base: NaturalModel, learnt: NaturalModel, voice: NaturalModel) -> float:
    """How far the voice has gone from the base to what was learnt, by the largest step of a parameter."""
    start, end, found = (dict(one.named_parameters())[name].detach() for one in (base, learnt, voice))
    at = (end - start).abs().argmax()
    return float(((found - start) / (end - start)).flatten()[at])


def test_early_blocks_stay_nearer_to_the_base_and_the_last_layer_goes_further(pair):
    base, learnt = pair
    voice = moderated(base, learnt)
    shares = [share(f"decoder.blocks.{index}.expand.weight", base, learnt, voice) for index in range(8)]
    assert shares == pytest.approx([0.8, 0.8, 0.4, 0.4, 1.0, 1.0, 1.0, 1.0], abs=1e-5)
    assert share("decoder.output.weight", base, learnt, voice) == pytest.approx(1.2, abs=1e-5)


def test_all_but_early_blocks_and_the_last_layer_is_what_was_learnt_to_the_bit(pair):
    base, learnt = pair
    before = {name: value.clone() for name, value in learnt.state_dict().items()}
    voice = moderated(base, learnt).state_dict()
    moved = {name for name, value in before.items() if not torch.equal(value, voice[name])}
    assert moved
    assert all(name.startswith(("decoder.output.", *(f"decoder.blocks.{n}." for n in range(4)))) for name in moved)
    assert all(torch.equal(value, learnt.state_dict()[name]) for name, value in before.items())


def test_who_learnt_nothing_is_the_base(pair):
    base, _ = pair
    voice = moderated(base, base).state_dict()
    assert all(torch.equal(value, voice[name]) for name, value in base.state_dict().items())


def test_a_base_with_a_single_block_is_moderated_too():
    base, learnt = (NaturalModel.untrained(CONFIG, seed=seed).eval() for seed in (0, 1))
    assert share("decoder.blocks.0.expand.weight", base, learnt, moderated(base, learnt)) == pytest.approx(
        0.8, abs=1e-5
    )
