"""The sound of a natural voice is the same in numpy, which speaks, and in torch, which learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.models.natural import sound, speak


class Drawn:
    """A generator that gives the noise that torch is given, frame by frame."""

    def __init__(self, noise: torch.Tensor) -> None:
        self.noise = noise.numpy().T

    def standard_normal(self, shape: tuple[int, int], dtype: type) -> np.ndarray:
        return np.ascontiguousarray(self.noise).view(dtype).reshape(shape).copy()


@pytest.mark.parametrize("hertz", [[120.0] * 40, [0.0] * 12 + [210.0] * 16 + [0.0] * 12, [0.0] * 40])
def test_both_give_one_wave(hertz: list[float]) -> None:
    f0, generator = np.array(hertz, np.float32), np.random.default_rng(1)
    spectra = generator.standard_normal((len(f0), speak.SPECTRA * speak.BINS), np.float32)
    noise = sound.white_noise(len(f0), generator)
    parts = sound.Spectra(*torch.from_numpy(spectra).T[None].split(speak.BINS, dim=1))
    theirs = sound.synthesise(parts, torch.from_numpy(f0)[None], noise[None])[0].numpy()
    ours = speak.synthesise(spectra, f0, Drawn(noise))  # type: ignore[arg-type]  # it only draws
    assert ours.dtype == np.float32
    # The last bit of F0 moves a pulse.
    assert np.abs(ours - theirs).max() < 2e-3 * np.abs(theirs).max()
