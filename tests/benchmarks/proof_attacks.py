"""What somebody could hand in who taught nobody, by backbone: a voice is taken and spoilt, or trained on what is not the speaker."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from tests.benchmarks.learning_thresholds import noise_like
from trainer.backbones import NATURAL, SPECTRAL_ADAPTER
from trainer.backbones.adapter.adapt import Adaptation
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.backbones.natural.learning import spectra
from trainer.backbones.natural.settings import NaturalSettings
from trainer.backbones.natural.training import NaturalAdaptation
from trainer.dataset import loading
from trainer.models.natural.sound import BINS
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.training import determinism
from trainer.voice import base, document
from trainer.voice.natural_document import RestoredNatural

SEED = 5
Attack = Callable[[Any, Any], Any]
"""Given a voice and the start of its proof, another voice."""
Spoil = Callable[[Any], Any]
"""Given the material of a training, what is learnt from instead."""
_MAGNITUDES = (0, 2, 3)
"""Rows of a natural decoder's output, in bins each: harmonics, noise, residual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacks:
    """Of one backbone; `adopted` grants a foreign voice everything but what training moves."""

    made: Mapping[str, Attack]
    spoilt: Mapping[str, Spoil]
    train: Callable[[Any, Any, int], Any]
    """Given material, start and steps: the voice that this training ends with."""
    adopted: Attack


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


def _naturally_trained(material: Any, start: Any, steps: int) -> RestoredNatural:
    adaptation = NaturalAdaptation(
        settings=NaturalSettings(spectral_steps=steps, adversarial_steps=0, evaluate_every=steps), seed=SEED,
        base=start.fitted, training=material.training, held_out=material.held_out[:1], highest_hz=material.highest_hz,
    )  # fmt: skip
    adaptation.train_to_the_end()
    return RestoredNatural(model=adaptation.average.eval(), speaker=start.speaker, training={})


def _adopted_decoder(voice: Any, start: Any) -> RestoredNatural:
    return _natural(start, lambda decoder: decoder.load_state_dict(voice.model.decoder.state_dict()))


def _said_as(change: Callable[[torch.Tensor], torch.Tensor]) -> Spoil:
    def spoil(material: Any) -> Any:
        said = [dataclasses.replace(one, wave=change(one.wave)) for one in material.training]
        return dataclasses.replace(material, training=tuple(said))

    return spoil


def _heard_as(change: Callable[[torch.Tensor], torch.Tensor]) -> Spoil:
    def spoil(material: Any) -> Any:
        waves = [change(one.utterance.wave).numpy() for one in material.training]
        said = [
            dataclasses.replace(one, utterance=loading.from_wave(wave))
            for one, wave in zip(material.training, waves, strict=True)
        ]
        return dataclasses.replace(material, training=said)

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


def _spectral(voice: Any, name: str, change: Callable[[Any], object]) -> Any:
    model = copy.deepcopy(getattr(voice, name))
    with torch.no_grad():
        change(model)
    return dataclasses.replace(voice, **{name: model})


def _bare(voice: Any, start: Any) -> Any:
    models = base.load()
    return dataclasses.replace(voice, acoustic=models.acoustic, vocoder=models.vocoder, speaker=start.speaker)


def _whose(voice: Any, embedding: torch.Tensor) -> Any:
    return dataclasses.replace(voice, speaker=dataclasses.replace(voice.speaker, embedding=embedding))


def _of_noise(model: Any) -> None:
    generator = determinism.generator(0)
    for weight in model.parameters():
        weight.copy_(weight.std(correction=0) * torch.randn(weight.shape, generator=generator))


def _spectrally_trained(material: Any, start: Any, steps: int) -> Any:
    settings = AdaptationSettings(acoustic_steps=steps, evaluate_every=max(1, steps // 4), vocoder_steps=20)
    adaptation = Adaptation(
        settings=settings, seed=SEED, base=base.load(), training=material.training, held_out=material.held_out,
        embedding=material.embedding,
    )  # fmt: skip
    adaptation.run()
    return document.restore(adaptation.document(training={}))


def _random_embedding() -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(256, generator=determinism.generator(0)), dim=0)


ATTACKS: Mapping[str, Attacks] = {
    NATURAL: Attacks(
        made={
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
        },
        spoilt={
            "noise": _said_as(lambda wave: noise_like(wave)),
            "silence": _said_as(torch.zeros_like),
            "other texts": _other_texts,
        },
        train=_naturally_trained,
        adopted=_adopted_decoder,
    ),
    SPECTRAL_ADAPTER: Attacks(
        made={
            "the base itself": _bare,
            "its vocoder of noise": lambda voice, start: _spectral(voice, "vocoder", _of_noise),
            "its acoustic model of noise": lambda voice, start: _spectral(voice, "acoustic", _of_noise),
            "noise in its vocoder's last layer": lambda voice, start: _spectral(
                voice, "vocoder", lambda model: model.output.weight.normal_(std=0.1, generator=determinism.generator(0))
            ),
            "noise in its prosody's last layer": lambda voice, start: _spectral(
                voice,
                "acoustic",
                lambda model: model.prosody.output.weight.normal_(std=0.1, generator=determinism.generator(0)),
            ),
            "a speaker of noise": lambda voice, start: _whose(voice, _random_embedding()),
            "the speaker of the wrong voice": lambda voice, start: _whose(
                voice, torch.from_numpy(SpeakerEncoder().embed(start.control[0].utterance.wave.numpy()))
            ),
        },
        spoilt={"noise": _heard_as(lambda wave: noise_like(wave)), "other texts": _other_texts},
        train=_spectrally_trained,
        adopted=lambda voice, start: voice,
    ),
}
