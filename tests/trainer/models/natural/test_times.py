"""A recording laid along a rendering: every symbol gets its stretch, however fast the speaker is."""

import numpy as np
import pytest

from trainer.models.natural import times
from trainer.models.natural.times import TimesError

RENDERED = np.array([3, 2, 1, 4, 2])


def sound(frames: np.ndarray, seed: int = 0) -> np.ndarray:
    """Each symbol another place in feature space, with a little noise."""
    places = np.random.default_rng(5).standard_normal((len(frames), 8)) * 3
    noise = np.random.default_rng(seed).standard_normal((int(frames.sum()), 8)) * 0.2
    return np.repeat(places, frames, axis=0) + noise


@pytest.mark.parametrize("spoken", [RENDERED, 2 * RENDERED, [1, 1, 1, 1, 1], [9, 2, 3, 1, 6]])
def test_each_symbol_is_found_where_it_is_spoken(spoken: list[int]) -> None:
    found, distance = times.align(sound(np.array(spoken), seed=1), sound(RENDERED), RENDERED)
    assert found.tolist() == list(spoken)
    assert distance < 0.3


def test_a_text_that_takes_longer_than_its_sound_is_refused() -> None:
    with pytest.raises(TimesError, match="12 frames of text cannot be laid along 3 frames of sound"):
        times.align(sound(RENDERED)[:3], sound(RENDERED), RENDERED)


def test_loudness_and_speaker_do_not_enter_the_comparison() -> None:
    rng = np.random.default_rng(0)
    import torch

    power = torch.from_numpy(np.exp(rng.standard_normal((80, 40))).astype(np.float32)) + 1.0
    once, louder = (times.normalised([times.observations(each)])[0] for each in (power, 100 * power))
    np.testing.assert_allclose(once, louder, atol=1e-2)
