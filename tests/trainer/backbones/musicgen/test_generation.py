"""Text becomes a wave through the adapters; the miniature model says nothing, but for as long as asked and by its seed."""

import numpy as np
import pytest
import torch

from trainer.backbones.musicgen import adapters
from trainer.backbones.musicgen.generation import MAX_SECONDS, generate


def test_a_seed_is_a_wave_of_the_length_asked_for(base):
    adapters.insert(base.decoder, rank=2, alpha=4.0, seed=1)
    torch.manual_seed(1)
    untouched = torch.random.get_rng_state()
    first, again, other = (generate(base, "Hello there.", seconds=0.3, seed=seed) for seed in (4, 4, 5))
    assert first.shape == (9600,)
    assert first.dtype == np.float32
    assert np.isfinite(first).all() and np.abs(first).max() <= 1.0
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), untouched)


def test_adapters_are_heard(base):
    adapters.insert(base.decoder, rank=2, alpha=4.0, seed=1)
    before = generate(base, "Hello there.", seconds=0.3, seed=4)
    with torch.no_grad():
        for parameter in adapters.parameters(base.decoder).values():
            parameter.add_(0.5)
    assert not np.array_equal(generate(base, "Hello there.", seconds=0.3, seed=4), before)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 1.0), (" \n\t", 1.0), ("Hello.", 0.0), ("Hello.", MAX_SECONDS + 1), ("Hello.", float("nan"))],
)
def test_nothing_to_say_and_impossible_lengths_are_errors(text, seconds, base):
    with pytest.raises(ValueError, match=r"nothing to say|outside"):
        generate(base, text, seconds=seconds)
