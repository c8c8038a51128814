"""Who is speaking, as a vector: the GE2E speaker encoder (Wan et al. 2018) with the weights of the Resemblyzer package (Apache-2.0).

The package is not imported (it needs librosa and webrtcvad): only its weights are read, by hash. Our chain differs from the original
in one place, the speech detector that shortens long silences: silero-vad's instead of WebRTC's.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
import soxr
import torch
from torch import nn

from trainer.audio import features, speech_detection
from trainer.audio.foreign_mel import SAMPLE_RATE, power_mel
from trainer.errors import DataError, RuntimeSetupError, foreign_failures
from trainer.files import packaged_file

DIMENSIONS = 256
WEIGHTS_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
_FFT, _HOP, _MELS = 400, 160, 40  # 25 ms, 10 ms
_PARTIAL_FRAMES = 160  # 1.6 s: the length the network was trained on
_PARTIAL_STEP = 77  # 1.3 partial utterances a second
_LEAST_COVERAGE = 0.75
_LEAST_DBFS = -30.0
_SPEECH = 0.5
_SMOOTHING = 8  # windows of 32 ms whose majority decides
_MARGIN = 3  # windows kept on both sides of speech
_BATCH = 32


class Encoder(Protocol):
    """Anything that turns a wave into a speaker vector; this module's own, or one of a file (trainer.evaluation.encoder_file)."""

    @property
    def metric(self) -> str:
        """Name of the cosine between its vectors: thresholds of one encoder say nothing of another."""

    @property
    def sha256(self) -> str:
        """Of its weights."""

    def embed(self, wave: np.ndarray, sample_rate: int) -> np.ndarray:
        """(n,) float32 samples -> (d,) float32 of length 1; the same whatever was embedded before. Raises DataError(no_usable_speech)."""


class GE2ENetwork(nn.Module):
    """Three LSTM layers and one linear layer: (batch, frames, 40) mel power -> (batch, 256), non-negative and of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(_MELS, DIMENSIONS, 3, batch_first=True)
        self.linear = nn.Linear(DIMENSIONS, DIMENSIONS)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        """(batch, frames, 40) mel power -> (batch, 256) of length 1."""
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)


class SpeakerEncoder:
    """Embeds waves; deterministic on one thread. Raises RuntimeSetupError where the weights are missing or not the known ones."""

    metric = "ge2e_cosine"
    sha256 = WEIGHTS_SHA256

    def __init__(self) -> None:
        self._network = _load_network()

    def embed(self, wave: np.ndarray, sample_rate: int = features.SAMPLE_RATE) -> np.ndarray:
        """(n,) float32 samples -> (256,) float32 of length 1; silences are shortened, quiet speech is amplified first.

        Raises DataError(no_usable_speech) for a wave that is empty or digitally silent.
        """
        samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), sample_rate, SAMPLE_RATE, quality="HQ")
        return self.embed_prepared(without_long_silences(amplified(samples)))

    def embed_prepared(self, samples: np.ndarray) -> np.ndarray:
        """(n,) float32 at 16 kHz, prepared already -> (256,): the mean over overlapping partial utterances of 1.6 s."""
        starts = partial_starts(len(samples))
        end = (starts[-1] + _PARTIAL_FRAMES) * _HOP
        padded = np.pad(samples, (0, max(0, end - len(samples))))
        with speech_detection.one_thread(), torch.inference_mode():
            mel = power_mel(padded, fft=_FFT, hop=_HOP, mels=_MELS)
            partials = torch.stack([mel[start : start + _PARTIAL_FRAMES] for start in starts])
            vectors = torch.cat([self._network(batch) for batch in partials.split(_BATCH)])
            return nn.functional.normalize(vectors.mean(dim=0), dim=0).numpy()


def mean_vector(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Several vectors (d,) of one speaker -> their mean (d,), of length 1."""
    mean = np.stack(vectors).mean(axis=0)
    return mean / np.linalg.norm(mean)


def amplified(samples: np.ndarray) -> np.ndarray:
    """(n,) samples brought up to -30 dBFS where they are quieter; raises DataError(no_usable_speech) for silence."""
    power = require_sound(samples)
    missing_db = _LEAST_DBFS - 10.0 * np.log10(power)
    return samples if missing_db < 0.0 else (samples * 10.0 ** (missing_db / 20.0)).astype(np.float32)


def require_sound(samples: np.ndarray) -> float:
    """Mean power of (n,) samples; raises DataError(no_usable_speech) where there is none."""
    power = float(np.square(samples, dtype=np.float64).mean()) if len(samples) else 0.0
    if not power > 0.0:
        raise DataError("a wave without any sound has no speaker; use a clip with speech", cause="no_usable_speech")
    return power


def without_long_silences(samples: np.ndarray) -> np.ndarray:
    """(n,) at 16 kHz with pauses cut down to about 0.2 s; everything is kept where no speech is found."""
    detector = speech_detection.SpeechDetector()
    speech = np.concatenate([detector.feed(samples), detector.finish()]) >= _SPEECH
    left = (_SMOOTHING - 1) // 2
    votes = np.convolve(np.pad(speech.astype(float), (left, _SMOOTHING - 1 - left)), np.ones(_SMOOTHING), "valid")
    kept = np.convolve(votes > _SMOOTHING / 2, np.ones(2 * _MARGIN + 1), "same") > 0.0
    mask = np.repeat(kept, speech_detection.WINDOW)[: len(samples)]
    return samples[mask] if mask.any() else samples


def partial_starts(samples: int) -> list[int]:
    """First frames of the partial utterances of a wave of `samples` at 16 kHz; the last one is left out where it is mostly padding."""
    frames = -(-(samples + 1) // _HOP)
    starts = list(range(0, max(1, frames - _PARTIAL_FRAMES + _PARTIAL_STEP + 1), _PARTIAL_STEP))
    covered = (samples - starts[-1] * _HOP) / (_PARTIAL_FRAMES * _HOP)
    return starts[:-1] if len(starts) > 1 and covered < _LEAST_COVERAGE else starts


@lru_cache(maxsize=1)
def _load_network() -> GE2ENetwork:
    """The network, shared: it has no state."""
    data = packaged_file.read("resemblyzer", "pretrained.pt", sha256=WEIGHTS_SHA256, distribution="Resemblyzer")
    with foreign_failures(
        lambda line: RuntimeSetupError(
            f"the speaker encoder's weights cannot be read ({line}); use the pinned torch", cause="weights_corrupt"
        )
    ):
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)["model_state"]
        network = GE2ENetwork()
        # The file also holds the scale and offset of the training's loss.
        network.load_state_dict({name: state[name] for name in network.state_dict()})
    return network.eval()
