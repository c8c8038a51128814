"""Monophone hidden Markov models: two states a phone, a mixture of diagonal Gaussians a state (Rabiner 1989)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trainer.audio import features
from trainer.errors import RuntimeSetupError
from trainer.files.checkpoint import CheckpointError, read_container, save
from trainer.models.aligner.observations import DIMENSIONS, Normalisation
from trainer.text.phone_set import CONSONANTS, SILENCE, VOWELS, without_stress

FORMAT = "voice-acceptance/aligner"
VERSION = 1
PHONES = (SILENCE, *CONSONANTS, *VOWELS)
STATES_PER_PHONE = 2
STATES = STATES_PER_PHONE * len(PHONES)
_INDEX = {phone: index for index, phone in enumerate(PHONES)}
_MIN_VARIANCE = 0.01
_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligner:
    """Gaussians `means`, `variances` (STATES, mixtures, DIMENSIONS), `weights` (STATES, mixtures), `stay` (STATES,) self-transition probability.

    `normalisation` is that of the speaker whom the aligner was adapted to; without one every utterance is normalised by itself.
    """

    means: np.ndarray
    variances: np.ndarray
    weights: np.ndarray
    stay: np.ndarray
    normalisation: Normalisation | None = None

    def log_likelihood(self, observed: np.ndarray) -> np.ndarray:
        """(frames, DIMENSIONS) normalised -> (frames, STATES) log-densities, float32."""
        joint = self.component_log_likelihood(observed)
        if joint.shape[2] == 1:
            return joint[:, :, 0]
        best = joint.max(axis=2, keepdims=True)
        return (best + np.log(np.exp(joint - best).sum(axis=2, keepdims=True)))[:, :, 0]

    def component_log_likelihood(self, observed: np.ndarray) -> np.ndarray:
        """(frames, DIMENSIONS) -> (frames, STATES, mixtures): log of weight times density."""
        states, mixtures, _ = self.means.shape
        precision = (1.0 / self.variances).reshape(-1, DIMENSIONS)
        means = self.means.reshape(-1, DIMENSIONS)
        constant = (
            np.log(np.maximum(self.weights, 1e-10)).reshape(-1)
            - 0.5 * np.log(2.0 * np.pi * self.variances).sum(axis=2).reshape(-1)
            - 0.5 * (means**2 * precision).sum(axis=1)
        )
        # Products by torch, whose number of threads the caller sets: NumPy's would take every core and stall beside other work.
        linear, quadratic = torch.from_numpy((means * precision).T.copy()), torch.from_numpy(precision.T.copy())
        values = torch.from_numpy(np.ascontiguousarray(observed, dtype=np.float32))
        joint = (values @ linear - 0.5 * values.square() @ quadratic).numpy() + constant
        return joint.reshape(len(observed), states, mixtures).astype(np.float32)


def phone_index(symbol: str) -> int:
    """Model of a symbol, stress left out; raises KeyError for what is no phone."""
    return _INDEX[without_stress(symbol)]


def save_aligner(path: Path, aligner: Aligner) -> str:
    """Write a speaker-independent aligner in half precision; returns the SHA-256 of the file."""
    tensors = {
        name: torch.from_numpy(getattr(aligner, name)).to(torch.float16)
        for name in ("means", "variances", "weights", "stay")
    }
    document = {
        "format": FORMAT,
        "version": VERSION,
        "phones": list(PHONES),
        "states_per_phone": STATES_PER_PHONE,
        "features": features.description(),
        "tensors": tensors,
    }
    return save(path, document)


def load_aligner(path: Path) -> Aligner:
    """Read what `save_aligner` wrote; raises RuntimeSetupError(weights_invalid)."""
    try:
        document = read_container(path, max_bytes=_MAX_BYTES)
    except CheckpointError as error:
        raise RuntimeSetupError(
            f"{path}: no usable aligner: {error}; install the package again", cause="weights_invalid"
        ) from error
    if document.get("format") != FORMAT or document.get("version") != VERSION or document.get("phones") != list(PHONES):
        raise RuntimeSetupError(
            f"{path}: not a {FORMAT} version {VERSION}; install the package again", cause="weights_invalid"
        )
    tensors = document.get("tensors")
    if not isinstance(tensors, dict) or not _plausible(tensors):
        raise RuntimeSetupError(
            f"{path}: tensors are missing or of other shapes; install the package again", cause="weights_invalid"
        )
    arrays = {name: tensor.to(torch.float32).numpy() for name, tensor in tensors.items()}
    return Aligner(
        means=arrays["means"],
        variances=np.maximum(arrays["variances"], _MIN_VARIANCE),
        weights=arrays["weights"],
        stay=np.clip(arrays["stay"], 0.05, 0.98),
    )


def _plausible(tensors: dict[str, torch.Tensor]) -> bool:
    weights = tensors.get("weights")
    if not isinstance(weights, torch.Tensor) or weights.ndim != 2:
        return False
    mixtures = weights.shape[1]
    shapes = {
        "means": (STATES, mixtures, DIMENSIONS),
        "variances": (STATES, mixtures, DIMENSIONS),
        "weights": (STATES, mixtures),
        "stay": (STATES,),
    }
    return set(tensors) == set(shapes) and all(
        isinstance(tensors[name], torch.Tensor)
        and tuple(tensors[name].shape) == shape
        and bool(torch.isfinite(tensors[name].float()).all())
        for name, shape in shapes.items()
    )
