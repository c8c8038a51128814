"""The speaker's prosody in few numbers: the melody network's last layers are fitted to recorded times and loudness, in closed form.

Everything before them stays the base's: tuned as a whole on three minutes, the melody becomes monotonous. Linear regression with a penalty
(ridge; Hoerl and Kennard 1970) on what the last layers hear. F0 is not fitted: it is moved and stretched by the speaker's factors.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from trainer.backbones.natural.material import Said
from trainer.models.natural import NaturalModel
from trainer.models.natural.model import ENERGY_ROWS, ENERGY_UNIT, FRAMES_PER_TEXT_FRAME

_PENALTY = 10.0
"""In frames (symbols) of evidence that every weight is the base's."""
_SHARE_OF_LOUDNESS = 0.4
"""Of the fitted loudness; the rest is the base's. More brings the room's noise into the pauses (LJ: OVRL 3.07 with 0.65, 2.7 with all of it,
instead of 3.23); the model card has the shares that were tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prosody:
    """What the last layers hear and should say: hidden (n, width), wanted (n, outputs), float64."""

    hidden: torch.Tensor
    wanted: torch.Tensor


def fitted(
    base: NaturalModel, training: Sequence[Said], held_out: Sequence[Said]
) -> tuple[NaturalModel, tuple[str, ...]]:
    """A copy of the base with the speaker's pace and loudness, and a line for each that is left as it was.

    Each is kept only if it comes closer to the held-out speech; the same utterances give the same numbers.
    """
    model = copy.deepcopy(base)
    refused = []
    for name, layer, rows, evidence, restored, share in (
        ("pace", model.melody.duration, slice(0, 1), _of_times, False, 1.0),
        ("loudness", model.melody.output, ENERGY_ROWS, _of_loudness, True, _SHARE_OF_LOUDNESS),
    ):
        heard, judged = evidence(base, training), evidence(base, held_out)
        before = layer.weight[rows].detach().double(), layer.bias[rows].detach().double()
        after = _regressed(*before, heard, share=share, restored=restored)
        was, now = _error(*before, judged), _error(*after, judged)
        if not now < was:
            refused.append(
                f"the speaker's {name} stays the base's: on held-out speech the fit is off by {now:.3f}, the base by {was:.3f}"
            )
            continue
        with torch.no_grad():
            layer.weight[rows], layer.bias[rows] = (value.float() for value in after)
    return model, tuple(refused)


@torch.no_grad()
def _of_times(base: NaturalModel, said: Sequence[Said]) -> Prosody:
    hidden = [base.melody.pace(base.melody.text(one.symbols[None]))[0] for one in said]
    wanted = torch.cat([torch.log1p(one.frames.double()) for one in said])
    return Prosody(hidden=torch.cat(hidden).double(), wanted=wanted[:, None])


@torch.no_grad()
def _of_loudness(base: NaturalModel, said: Sequence[Said]) -> Prosody:
    hidden = [
        base.melody.contour(base.melody.text(one.symbols[None]).repeat_interleave(one.frames, dim=1))[0] for one in said
    ]
    wanted = torch.cat([one.energy.unflatten(0, (-1, FRAMES_PER_TEXT_FRAME)) for one in said])
    return Prosody(hidden=torch.cat(hidden).double(), wanted=wanted.double() / ENERGY_UNIT)


def _regressed(
    weight: torch.Tensor, bias: torch.Tensor, heard: Prosody, *, share: float, restored: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (outputs, width) and bias (outputs,) moved toward what was wanted by `share`.

    A regression is less lively than what it explains; `restored` stretches it to the recorded deviation.
    """
    said = heard.hidden @ weight.T + bias
    middle, spread = heard.hidden.mean(0), heard.hidden.std(0) + 1e-6
    scaled = (heard.hidden - middle) / spread
    missing = heard.wanted - said
    penalty = _PENALTY * torch.eye(scaled.shape[1], dtype=scaled.dtype)
    steps = torch.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ (missing - missing.mean(0))).T / spread
    fit = weight + steps, bias + missing.mean(0) - steps @ middle
    if restored:
        explained = heard.hidden @ fit[0].T + fit[1]
        stretch = heard.wanted.std(0) / explained.std(0).clamp(min=1e-6)
        mean = heard.wanted.mean(0)
        fit = stretch[:, None] * fit[0], stretch * (fit[1] - mean) + mean
    return torch.lerp(weight, fit[0], share), torch.lerp(bias, fit[1], share)


def _error(weight: torch.Tensor, bias: torch.Tensor, judged: Prosody) -> float:
    """Root mean square of what is said less what was wanted, which is what a regression lowers."""
    return float((judged.hidden @ weight.T + bias - judged.wanted).square().mean().sqrt())
