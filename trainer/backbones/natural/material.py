"""From a manifest to what a natural voice learns from: clips at 24 kHz with symbols, when they are spoken, and the speaker's melody."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soxr
import torch

from trainer.audio import features
from trainer.backbones.fitting_speech import Fitting, Progress, fitting
from trainer.backbones.natural.settings import NaturalSettings
from trainer.dataset.loading import Utterance
from trainer.dataset.manifest import Manifest
from trainer.errors import DataError
from trainer.models.natural import Melody, NaturalModel, alphabet, measures, sound, times
from trainer.models.natural.model import whole_frames
from trainer.models.natural.pronunciations import phonemes
from trainer.models.natural.times import TimesError
from trainer.models.speaker_encoder import SpeakerEncoder, mean_vector
from trainer.training import control_voice
from trainer.voice import natural_base
from trainer.voice.natural_speaker import NaturalSpeaker

_LOUD = 0.85
"""Quantile of log energy at which speaker and base are made equally loud: above pauses, below single peaks."""
_NOISE_SEED = 7
_UPPER = 0.95
"""Quantile at which the range of a melody ends, at the other end likewise."""
_LEAST_LIVELY, _MOST_LIVELY = 0.7, 1.5
"""Beyond them the measured F0 jumps octaves; nobody speaks so."""
_MOST_SHARE_OF_BAND = 0.97
"""Of half the recording's sample rate: what a resampler leaves untouched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One utterance: wave (n,) float32 at 24 kHz, symbols (P,) int64, text frames of each (P,) int64, F0 and energy (frames,) as measured."""

    wave: torch.Tensor
    symbols: torch.Tensor
    frames: torch.Tensor
    f0: torch.Tensor
    energy: torch.Tensor
    source: Utterance
    """As it was read."""

    @property
    def melody(self) -> Melody:
        """Of batch 1."""
        return Melody(f0=self.f0[None], energy=self.energy[None])

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.wave) / sound.SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalMaterial:
    """What is learnt from and judged by; `gain` brings the recording to the base's level, `highest_hz` bounds what was recorded."""

    training: tuple[Said, ...]
    held_out: tuple[Said, ...]
    speaker: NaturalSpeaker
    vector: torch.Tensor | None
    """GE2E's of what is learnt from, (256,) of length 1; None where there is speech enough to do without."""
    gain: float
    highest_hz: float
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rendered:
    """The base's own reading of a text: its symbols, their text frames, mel power, F0 and energy."""

    symbols: torch.Tensor
    frames: torch.Tensor
    power: torch.Tensor
    melody: Melody


def gather(
    manifest_path: Path, document: Manifest, settings: NaturalSettings, *, on_progress: Progress | None = None
) -> NaturalMaterial:
    """Read both splits and lay them along the base's reading; the same files give the same material.

    Raises DataError as `fitting` and `vector_of`, and RuntimeSetupError where the base, the encoder or the pronunciations are missing.
    """
    model = natural_base.load()
    found = fitting(
        manifest_path, document, train_seconds=settings.train_seconds, heldout_seconds=settings.heldout_seconds,
        on_progress=on_progress,
    )  # fmt: skip
    everything = [*found.training, *found.held_out]
    rendered = [_render(model, one) for one in everything]
    waves = [at_24_khz(one.utterance) for one in everything]
    count = len(found.training)
    gain = _gain(waves[:count], rendered[:count])
    median_hz = control_voice.median_f0_hz([one.utterance for one in found.training])
    laid, left_out = _laid(everything, [gain * wave for wave in waves], rendered, median_hz or features.UNVOICED_F0_HZ)
    training = tuple(said for said in laid[:count] if said is not None)
    held_out = tuple(said for said in laid[count:] if said is not None)
    if not training or not held_out:
        raise DataError(f"no text fits its sound ({left_out[0]}); correct the transcripts", cause="transcript_mismatch")
    pairs = [(said, one) for said, one in zip(laid[:count], rendered, strict=False) if said is not None]
    return NaturalMaterial(
        training=training,
        held_out=held_out,
        speaker=speaker_of([said for said, _ in pairs], [one.melody for _, one in pairs]),
        vector=vector_of(training) if _is_little(training, settings) else None,
        gain=gain,
        highest_hz=_MOST_SHARE_OF_BAND * min(document.source.sample_rate, features.SAMPLE_RATE) / 2,
        left_out=(*found.left_out, *left_out),
    )


def at_24_khz(utterance: Utterance) -> np.ndarray:
    """(n,) float32, a whole number of text frames long."""
    moved = soxr.resample(utterance.wave.numpy(), features.SAMPLE_RATE, sound.SAMPLE_RATE, quality="HQ")
    return measures.whole(moved.astype(np.float32))


def speaker_of(said: Sequence[Said], read: Sequence[Melody]) -> NaturalSpeaker:
    """How the base's melody for the same texts becomes the speaker's; the shape of its contours stays the base's."""
    ours = torch.cat([one.f0[one.f0 > 0] for one in said])
    theirs = torch.cat([one.f0[one.f0 > sound.VOICED_FROM_HZ] for one in read])
    if not len(ours) or not len(theirs):
        return NaturalSpeaker()
    ratio = float(torch.log(ours).median() - torch.log(theirs).median())
    liveliness = _range([one.f0 for one in said]) / max(_range([one.f0[0] for one in read]), 1e-3)
    return NaturalSpeaker(
        f0=math.exp(max(math.log(0.2), min(math.log(5.0), ratio))),
        liveliness=max(_LEAST_LIVELY, min(_MOST_LIVELY, liveliness)),
    )


def _is_little(training: Sequence[Said], settings: NaturalSettings) -> bool:
    return sum(one.seconds for one in training) < settings.told_below_seconds


def vector_of(said: Sequence[Said]) -> torch.Tensor:
    """Mean GE2E vector of the speech, (256,) float32 of length 1.

    Raises DataError(no_usable_speech), RuntimeSetupError without the encoder's weights.
    """
    encoder = SpeakerEncoder()
    return torch.from_numpy(mean_vector([encoder.embed(one.source.wave.numpy()) for one in said]))


def _range(contours: Sequence[torch.Tensor]) -> float:
    """Of log F0 around each utterance's median, without the creak at its end and the octaves that were taken for another."""
    logs = [torch.log(one[one > sound.VOICED_FROM_HZ]) for one in contours]
    around = torch.cat([one - one.median() for one in logs if len(one)])
    return float(around.quantile(_UPPER) - around.quantile(1.0 - _UPPER))


def as_said_by_another(said: Said, other: Utterance, *, gain: float) -> Said:
    """The same symbols at the same times in another's recording of equal length."""
    wave = np.resize(gain * at_24_khz(other), len(said.wave)).astype(np.float32)
    median_hz = control_voice.median_f0_hz([other]) or features.UNVOICED_F0_HZ
    return replace(said, source=other, **_measured(wave, median_hz))


@torch.inference_mode()
def _render(model: NaturalModel, one: Fitting) -> _Rendered:
    symbols = torch.from_numpy(alphabet.ids(phonemes(one.words)))
    encoded = model.melody.text(symbols[None])
    frames = whole_frames(model.melody.times(encoded))
    melody = model.melody(encoded, frames)
    noise = sound.white_noise(melody.f0.shape[1], np.random.default_rng(_NOISE_SEED))
    wave = sound.synthesise(model.decode(symbols, frames, melody), melody.f0, noise[None])[0]
    return _Rendered(symbols=symbols, frames=frames, power=measures.mel_power(wave), melody=melody)


def _gain(waves: Sequence[np.ndarray], rendered: Sequence[_Rendered]) -> float:
    """The factor that makes the recording as loud as the base says the same texts."""
    recorded = torch.cat([measures.energy(measures.mel_power(torch.from_numpy(wave))) for wave in waves])
    wanted = torch.cat([one.melody.energy[0] for one in rendered])
    # Energy is the logarithm of a power.
    return math.exp(float(wanted.quantile(_LOUD) - recorded.quantile(_LOUD)) / 2)


def _laid(
    everything: Sequence[Fitting], waves: Sequence[np.ndarray], rendered: Sequence[_Rendered], median_hz: float
) -> tuple[list[Said | None], list[str]]:
    """Each utterance with its symbols' times, None for one too short for its text."""
    powers = [measures.mel_power(torch.from_numpy(wave)) for wave in waves]
    recorded = times.normalised([times.observations(power) for power in powers])
    read = times.normalised([times.observations(one.power) for one in rendered])
    laid: list[Said | None] = []
    left_out = []
    for index, one in enumerate(everything):
        try:
            frames, _ = times.align(recorded[index], read[index], rendered[index].frames.numpy())
        except TimesError as error:
            laid.append(None)
            left_out.append(f"{one.id}: {error}")
            continue
        laid.append(
            Said(
                symbols=rendered[index].symbols.clone(),
                frames=torch.from_numpy(frames),
                source=one.utterance,
                **_measured(waves[index], median_hz),
            )
        )
    return laid, left_out


def _measured(wave: np.ndarray, median_hz: float) -> dict[str, torch.Tensor]:
    samples = torch.from_numpy(wave)
    return {
        "wave": samples,
        "f0": torch.from_numpy(measures.f0(wave, median_hz=median_hz)),
        "energy": measures.energy(measures.mel_power(samples)),
    }
