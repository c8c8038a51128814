"""Predicted listening opinion on a scale of 1 to 5: DNSMOS P.835 (Reddy et al. 2022) and P.808 (Reddy et al. 2021).

The networks are those of the speechmos package (MIT licence); the package itself is not imported, it needs librosa. They judge 9.01 s: a
shorter wave is repeated, a longer one judged at every second and averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import soxr

from trainer.audio import features, speech_detection
from trainer.audio.foreign_mel import SAMPLE_RATE, power_mel
from trainer.errors import DataError, RuntimeSetupError, foreign_failures
from trainer.files import onnx_runtime, packaged_file

P835_SHA256 = "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd"
P808_SHA256 = "9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91"
_WINDOW = int(9.01 * SAMPLE_RATE)
_FFT, _HOP, _MELS = 321, 160, 120
_RANGE_DB = 40.0
_POWER_FLOOR = 1e-10
_DYNAMIC_DB = 80.0
# Calibration as published with the networks (quadratic, linear, constant): from the network's numbers to listeners' opinions.
_SPEECH_FIT = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND_FIT = (-0.13166888, 1.60915514, -0.39604546)
_OVERALL_FIT = (-0.06766283, 1.11546468, 0.04602535)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """Predicted mean opinion scores: `overall`, `speech` and `background` of P.835, and P.808's one number."""

    overall: float
    speech: float
    background: float
    p808: float


def opinion(wave: np.ndarray, sample_rate: int = features.SAMPLE_RATE) -> Opinion:
    """Judge (n,) samples; deterministic, on one thread. Raises DataError(no_usable_speech) for an empty wave, and RuntimeSetupError."""
    if not len(wave):
        raise DataError("an empty wave has no quality; use a clip with speech", cause="no_usable_speech")
    samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), sample_rate, SAMPLE_RATE, quality="HQ")
    # Doubled until it is long enough, as in the original: the seams are the same there.
    while len(samples) < _WINDOW:
        samples = np.concatenate([samples, samples])
    samples = np.clip(samples, -1.0, 1.0)
    raw = np.array([_judge(samples[start : start + _WINDOW]) for start in _window_starts(len(samples))])
    fits = (_SPEECH_FIT, _BACKGROUND_FIT, _OVERALL_FIT)
    speech, background, overall = (float(np.polyval(fit, raw[:, column]).mean()) for column, fit in enumerate(fits))
    return Opinion(overall=overall, speech=speech, background=background, p808=float(raw[:, 3].mean()))


def windows(seconds: float) -> int:
    """How many windows are judged of a wave of this length."""
    samples = max(round(seconds * SAMPLE_RATE), 1)
    while samples < _WINDOW:
        samples *= 2
    return len(_window_starts(samples))


def _window_starts(samples: int) -> range:
    """A window at every second, counted as the original does: in whole seconds, so that the last one may be left out."""
    hops = int(samples // SAMPLE_RATE - _WINDOW / SAMPLE_RATE) + 1
    return range(0, max(hops, 1) * SAMPLE_RATE, SAMPLE_RATE)


def _judge(window: np.ndarray) -> tuple[float, float, float, float]:
    """One window of samples -> speech, background, overall before calibration, and P.808."""
    p835, p808 = _sessions()
    marks = p835.run(None, {"input_1": window[None]})[0][0]
    one = p808.run(None, {"input_1": _log_mel(window[:-_HOP])[None]})[0][0]
    return (float(marks[0]), float(marks[1]), float(marks[2]), float(one[0]))


def _log_mel(samples: np.ndarray) -> np.ndarray:
    """(n,) -> (frames, 120) float32: decibels below the loudest bin, 80 at most; -40 dB lies at 0 and 0 dB at 1."""
    with speech_detection.one_thread():
        power = power_mel(samples, fft=_FFT, hop=_HOP, mels=_MELS).numpy()
    level = 10.0 * np.log10(np.maximum(power, _POWER_FLOOR))
    level -= 10.0 * np.log10(max(float(power.max()), _POWER_FLOOR))
    return ((np.maximum(level, level.max() - _DYNAMIC_DB) + _RANGE_DB) / _RANGE_DB).astype(np.float32)


@lru_cache(maxsize=1)
def _sessions() -> tuple[Any, Any]:
    return _session("sig_bak_ovr.onnx", P835_SHA256), _session("model_v8.onnx", P808_SHA256)


def _session(name: str, sha256: str) -> Any:
    data = packaged_file.read("speechmos", f"dnsmos_models/{name}", sha256=sha256)
    with foreign_failures(
        lambda line: RuntimeSetupError(
            f"onnxruntime cannot load {name} ({line}); use the pinned onnxruntime", cause="weights_corrupt"
        )
    ):
        return onnx_runtime.open_session(data, one_length=True)
