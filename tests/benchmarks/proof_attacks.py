"""What somebody could hand in who taught nobody: a voice is taken and spoilt, or trained on what is not the speaker."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import torch

from tests.benchmarks.learning_thresholds import noise_like
from trainer.backbones.natural.learning import spectra
from trainer.backbones.natural.settings import NaturalSettings
from trainer.backbones.natural.training import NaturalAdaptation
from trainer.models.natural.sound import BINS
from trainer.training import determinism
from trainer.voice.natural_document import RestoredNatural

SEED = 5
Attack = Callable[[Any, Any], Any]
"""Given a voice and the start of its proof, another voice."""
Spoil = Callable[[Any], Any]
"""Given the material of a training, what is learnt from instead."""
_MAGNITUDES = (0, 2, 3)
"""Rows of a natural decoder's output, in bins each: harmonics, noise, residual."""


def with_noise(module: torch.nn.Module, size: float) -> torch.nn.Module:
    """A copy whose weights have moved by `size` of their own deviation."""
    spoilt, generator = copy.deepcopy(module), determinism.generator(0)
    with torch.no_grad():
        for weight in spoilt.parameters():
            weight += size * weight.std(correction=0) * torch.randn(weight.shape, generator=generator)
    return spoilt


def _natural(start: Any, change: Callable[[torch.nn.Module], object] = lambda decoder: None) -> RestoredNatural:
    model = copy.deepcopy(start.fitted)
    with torch.no_grad():
        change(model.decoder)
    return RestoredNatural(model=model.eval(), speaker=start.speaker, training={})


def _louder(start: Any, nepers: torch.Tensor | float) -> RestoredNatural:
    def change(decoder: Any) -> None:
        for row in _MAGNITUDES:
            decoder.output.bias.view(-1, BINS)[row] += nepers

    return _natural(start, change)


def _flatter(start: Any, share: float) -> RestoredNatural:
    def change(decoder: Any) -> None:
        for row in _MAGNITUDES:
            decoder.output.weight.view(-1, BINS, decoder.output.in_features)[row] *= share

    return _natural(start, change)


def _equaliser(start: Any) -> torch.Tensor:
    """(BINS,) nepers that move the base's mean spectrum to the held-out speech's, up to what was recorded."""
    made, recorded = spectra(start.fitted, start.target, start.highest_hz)
    steps = (recorded - made).median(dim=1).values
    # Mel bands are spaced as the ear hears; a bin takes the step of the band around it.
    mel = 2595.0 * torch.log10(1.0 + torch.linspace(0.0, 12_000.0, BINS) / 700.0)
    top = 2595.0 * torch.log10(torch.tensor(1.0 + start.highest_hz / 700.0))
    place = (mel / top * (len(steps) + 1) - 1.0).clamp(0.0, len(steps) - 1.0)
    return steps[place.round().long()]


def trained(material: Any, start: Any, steps: int) -> RestoredNatural:
    """The voice that so many spectral steps end with."""
    adaptation = NaturalAdaptation(
        settings=NaturalSettings(spectral_steps=steps, adversarial_steps=0, evaluate_every=steps), seed=SEED,
        base=start.fitted, training=material.training, held_out=material.held_out[:1], highest_hz=material.highest_hz,
    )  # fmt: skip
    adaptation.train_to_the_end()
    return RestoredNatural(model=adaptation.average.eval(), speaker=start.speaker, training={})


def adopted(voice: Any, start: Any) -> RestoredNatural:
    """A foreign voice, granted everything but what training moves."""
    return _natural(start, lambda decoder: decoder.load_state_dict(voice.model.decoder.state_dict()))


def _said_as(change: Callable[[torch.Tensor], torch.Tensor]) -> Spoil:
    def spoil(material: Any) -> Any:
        said = [dataclasses.replace(one, wave=change(one.wave)) for one in material.training]
        return dataclasses.replace(material, training=tuple(said))

    return spoil


def _other_texts(material: Any) -> Any:
    """Every utterance with symbols drawn from all of them."""
    generator = determinism.generator(SEED)
    everything = torch.cat([one.symbols for one in material.training])
    said = [
        dataclasses.replace(
            one,
            symbols=everything[torch.randint(len(everything), (len(one.symbols),), generator=generator)],
        )
        for one in material.training
    ]
    return dataclasses.replace(material, training=tuple(said))


MADE: Mapping[str, Attack] = {
    "the base, and the speaker's factors": lambda voice, start: _natural(start),
    **{
        f"the base, {size:g} of noise in its decoder": lambda voice, start, size=size: _natural(
            start, lambda decoder: decoder.load_state_dict(with_noise(decoder, size).state_dict())
        )
        for size in (0.01, 0.05, 0.2)
    },
    "the base through the best equaliser": lambda voice, start: _louder(start, _equaliser(start)),
    "the base, 6 dB louder": lambda voice, start: _louder(start, 0.69),
    "the base, 6 dB softer": lambda voice, start: _louder(start, -0.69),
    "the base, its magnitudes flattened": lambda voice, start: _flatter(start, 0.8),
    "half of noise in the voice's decoder": lambda voice, start: _natural(
        start, lambda decoder: decoder.load_state_dict(with_noise(voice.model.decoder, 0.5).state_dict())
    ),
}
SPOILT: Mapping[str, Spoil] = {
    "noise": _said_as(lambda wave: noise_like(wave)),
    "silence": _said_as(torch.zeros_like),
    "other texts": _other_texts,
}
