"""The proof that an adaptation learnt this speaker: what base and voice say against what was said, by the speaker and by somebody else.

Recorded symbols, times, F0 and loudness go through the decoder of base and voice to a wave; the loss is the distance of its mel spectrum from
the recording's. The start is not the bare base: it is told the recording's mean spectrum and its spread, band by band, so that room,
microphone, level and an equaliser are no learning. With little speech the start was also given the speaker's vector. What
the loss hides, the voice's own times and melody, is in the loss of the melody network beside it, and in how far the speaker's factors lie from
those that the recording gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from trainer.backbones.natural import prosody, segments
from trainer.backbones.natural.losses import log_mel
from trainer.backbones.natural.material import NaturalMaterial, Said, as_said_by_another
from trainer.files.checkpoint import CheckpointError
from trainer.models.natural import NaturalModel
from trainer.training import control_voice
from trainer.training.learning_block import extent, proof
from trainer.voice.natural_speaker import NaturalSpeaker

_NOISE_SEED = 40_960
_LEAST_SPREAD = 1e-3
"""Of a band that a model leaves constant: it has no spread that could be scaled."""
MELODY = "melody"
_FROZEN = ("text.", "melody.")
_FITTED = ("melody.duration.", "melody.output.")
_TOLERANCE = 1e-3
"""Of fitted weights: another processor sums in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalStart:
    """What every voice of this speaker starts from: held-out speech, the same in a wrong voice, and the base's losses on both."""

    target: Sequence[Said]
    control: Sequence[Said]
    speaker: NaturalSpeaker
    highest_hz: float
    target_loss: float
    control_loss: float
    melody_loss: float
    fitted: NaturalModel
    """The base with the prosody that the recording gives: what training starts from, and leaves alone but for the decoder."""
    refused: tuple[str, ...]
    """What of it stays the base's, and why."""


def measure_start(base: NaturalModel, material: NaturalMaterial) -> NaturalStart:
    """The half of the proof that needs no trained weights."""
    others = control_voice.render([one.source for one in material.held_out])
    control = [
        as_said_by_another(one, other, gain=material.gain) for one, other in zip(material.held_out, others, strict=True)
    ]
    # What training starts from: measured by the bare base, the fitted pace of an honest voice could count as growth.
    fitted, refused = prosody.fitted(base, material.training, material.held_out)
    return NaturalStart(
        target=material.held_out,
        control=control,
        speaker=material.speaker,
        highest_hz=material.highest_hz,
        target_loss=told_loss(base, material.held_out, material.highest_hz),
        control_loss=told_loss(base, control, material.highest_hz),
        melody_loss=melody_loss(fitted, material.held_out, material.speaker),
        fitted=fitted,
        refused=refused,
    )


def losses(start: NaturalStart, model: NaturalModel, speaker: NaturalSpeaker) -> dict[str, float]:
    """The losses of a voice under the keys of the `learning` block; raises CheckpointError as `require_fitted_parts`.

    The voice speaks for itself on the target. On the wrong voice it is told the spectrum as the base is: what it gained there is skill with
    any speech, and an equaliser that fits the target alone must not hide it.
    """
    require_fitted_parts(model, start.fitted)
    return {
        **proof(
            (start.target_loss, whole_loss(model, start.target, start.highest_hz)),
            (start.control_loss, told_loss(model, start.control, start.highest_hz)),
        ),
        f"{MELODY}_loss_start": start.melody_loss,
        f"{MELODY}_loss_trained": melody_loss(model, start.target, start.speaker),
        "speaker_difference": speaker_difference(speaker, start.speaker),
        **extent([one.seconds for one in start.target]),
    }


@torch.no_grad()
def whole_loss(model: NaturalModel, said: Sequence[Said], highest_hz: float) -> float:
    """Mean distance in nepers, over mel bands and frames, of what the decoder says from what was said."""
    made, recorded = spectra(model, said, highest_hz)
    return float((made - recorded).abs().mean())


@torch.no_grad()
def told_loss(model: NaturalModel, said: Sequence[Said], highest_hz: float) -> float:
    """As `whole_loss`, once every band has been moved to where the recording has it, and given its spread where that is nearer.

    The move is the best one there is (the median of the differences), found on the very speech that is judged: no static equaliser in a
    checkpoint can do better.
    """
    made, recorded = spectra(model, said, highest_hz)
    spread = recorded.std(dim=1, keepdim=True) / made.std(dim=1, keepdim=True).clamp(min=_LEAST_SPREAD)
    return min(_moved_loss(made, recorded), _moved_loss(made * spread, recorded))


def _moved_loss(made: torch.Tensor, recorded: torch.Tensor) -> float:
    difference = made - recorded
    return float((difference - difference.median(dim=1, keepdim=True).values).abs().mean())


def spectra(model: NaturalModel, said: Sequence[Said], highest_hz: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(bands, frames) log mel spectra of all utterances: what the decoder says, and what was said."""
    pairs = []
    for index, one in enumerate(said):
        heard = segments.whole(one, segments.prepared(model, one), seed=_NOISE_SEED + index)
        pairs.append((log_mel(heard.said_by(model), highest_hz)[0], log_mel(heard.wave, highest_hz)[0]))
    made, recorded = (torch.cat(column, dim=1) for column in zip(*pairs, strict=True))
    return made, recorded


@torch.no_grad()
def melody_loss(model: NaturalModel, said: Sequence[Said], speaker: NaturalSpeaker) -> float:
    """How far times and melody lie from the recorded ones: |log| of times over symbols, plus |log| of F0 over voiced frames."""
    times: list[torch.Tensor] = []
    pitches: list[torch.Tensor] = []
    for one in said:
        encoded = model.melody.text(one.symbols[None])
        predicted = model.melody.times(encoded).clamp(min=1.0)
        times.append((torch.log(predicted) - torch.log(one.frames.float())).abs())
        f0 = speaker.f0 * model.melody(encoded, one.frames).f0[0]
        voiced = one.f0 > 0
        # Where the voice would be silent it is an octave off, and no further.
        pitches.append(
            (torch.log(f0[voiced].clamp(min=1.0)) - torch.log(one.f0[voiced])).abs().clamp(max=math.log(2.0))
        )
    voiced_errors = torch.cat(pitches)
    return float(torch.cat(times).mean()) + (float(voiced_errors.mean()) if len(voiced_errors) else 0.0)


def speaker_difference(found: NaturalSpeaker, measured: NaturalSpeaker) -> float:
    """The largest |log| ratio of two of their factors."""
    ours, theirs = asdict(found), asdict(measured)
    return max(abs(math.log(ours[name] / theirs[name])) for name in ours)


def require_frozen_parts(model: NaturalModel, base: NaturalModel) -> None:
    """Raise CheckpointError(wrong_base) where a number that no training moves is not the base's: no loss shows all of them."""
    frozen = [name for name in base.state_dict() if name.startswith(_FROZEN) and not name.startswith(_FITTED)]
    _require(model, base, frozen, tolerance=0.0, of="the base's")


def require_fitted_parts(model: NaturalModel, fitted: NaturalModel) -> None:
    """Raise CheckpointError(wrong_base) where the prosody is not the one that the recording gives: training does not change it."""
    names = [name for name in fitted.state_dict() if name.startswith(_FITTED)]
    _require(model, fitted, names, tolerance=_TOLERANCE, of="what the base and this recording give")


def _require(model: NaturalModel, known: NaturalModel, names: Sequence[str], *, tolerance: float, of: str) -> None:
    found, expected = model.state_dict(), known.state_dict()
    for name in names:
        ours, theirs = found.get(name), expected[name]
        if ours is None or ours.shape != theirs.shape or not torch.allclose(ours, theirs, rtol=0.0, atol=tolerance):
            raise CheckpointError(
                f"{name} is not {of}, and training does not change it: train the voice again with this program",
                cause="wrong_base",
            )
