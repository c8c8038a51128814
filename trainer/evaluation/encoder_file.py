"""A speaker encoder given as a file: ECAPA-TDNN, WavLM-SV, x-vectors or another network, as ONNX or TorchScript.

The contract of the file:

- one input, float32: either `(1, samples)`, mono at 16 kHz within [-1, 1]; or, in ONNX only, `(1, frames, 80)`, Kaldi's log mel filterbank of
  16-bit-scaled samples (25 ms Hamming windows every 10 ms, no dither), its mean over time taken away, as ECAPA and ResNet exports expect it;
- the first output, float32: the vector, `(1, d)` or `(d,)`, at least two numbers; it is brought to length 1 here;
- everything is in the one file (no external data), so that its sha256 pins the whole model.

ONNX is data. TorchScript is a program, though no pickle: load only what you trust.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch
from torchaudio.compliance import kaldi

from trainer.audio import speech_detection
from trainer.audio.foreign_mel import SAMPLE_RATE
from trainer.errors import RuntimeSetupError, foreign_failures
from trainer.files import lfs_pointer, onnx_runtime, plain_file
from trainer.models.speaker_encoder import Encoder, SpeakerEncoder, require_sound

_MAX_BYTES = 2**31 - 1  # what one ONNX file can hold
_MELS = 80
_SHORTEST = SAMPLE_RATE  # shorter waves are repeated: networks with several strides or attentive pooling refuse them
_CAUSE = "encoder_invalid"

Network = Callable[[np.ndarray], Any]
"""(1, samples) float32 -> the vector in any shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEncoder:
    """The network of one file; deterministic on one thread."""

    name: str
    sha256: str
    network: Network

    @property
    def metric(self) -> str:
        """What a similarity measured with it is called."""
        return f"cosine:{self.name}"

    def embed(self, wave: np.ndarray, sample_rate: int) -> np.ndarray:
        """(n,) float32 samples -> (d,) float32 of length 1.

        Raises DataError(no_usable_speech) for a silent wave, RuntimeSetupError(encoder_invalid) where the network breaks the contract.
        """
        samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), sample_rate, SAMPLE_RATE, quality="HQ")
        require_sound(samples)
        samples = np.tile(samples, -(-_SHORTEST // len(samples)))
        seconds = len(samples) / SAMPLE_RATE
        with (
            foreign_failures(lambda line: self._broken(f"fails on {seconds:.1f} s of sound ({line})")),
            speech_detection.one_thread(),
            torch.inference_mode(),
            torch.jit.optimized_execution(False),
        ):
            vector = np.asarray(self.network(samples[None]), dtype=np.float64).reshape(-1)
        length = float(np.linalg.norm(vector))
        if len(vector) < 2 or not np.isfinite(length) or not length > 0.0:
            raise self._broken(f"gives {len(vector)} numbers of length {length:g} instead of a vector")
        return (vector / length).astype(np.float32)

    def _broken(self, problem: str) -> RuntimeSetupError:
        return RuntimeSetupError(
            f"the speaker encoder {self.name} {problem}; give one (1, samples) -> (1, d)", cause=_CAUSE
        )


@lru_cache(maxsize=2)
def load(path: Path | None) -> Encoder:
    """The encoder of a file, tried once on a second of noise; GE2E for None.

    Raises RuntimeSetupError: weights_missing, weights_lfs_pointer, encoder_invalid, and as SpeakerEncoder.
    """
    if path is None:
        return SpeakerEncoder()
    data = _read(path)
    open_network = {".onnx": _onnx, ".pt": _torchscript, ".ts": _torchscript, ".torchscript": _torchscript}.get(
        path.suffix.lower()
    )
    if open_network is None:
        raise RuntimeSetupError(
            f"{path}: give a speaker encoder as .onnx, or as TorchScript in .pt, .ts or .torchscript", cause=_CAUSE
        )
    with foreign_failures(
        lambda line: RuntimeSetupError(f"{path}: not a speaker encoder ({line}); export it again", cause=_CAUSE)
    ):
        network = open_network(data)
    found = FileEncoder(name=path.stem, sha256=hashlib.sha256(data).hexdigest(), network=network)
    found.embed(np.random.default_rng(0).normal(0.0, 0.1, SAMPLE_RATE).astype(np.float32), SAMPLE_RATE)
    return found


def _read(path: Path) -> bytes:
    try:
        data = plain_file.read(path.resolve(), limit=_MAX_BYTES)
    except OSError as error:
        raise RuntimeSetupError(
            f"{path}: {error}; give the file of a speaker encoder", cause="weights_missing"
        ) from error
    if lfs_pointer.pointer_oid(data) is not None:
        raise RuntimeSetupError(f"{path}: only a Git LFS pointer; run git lfs pull", cause="weights_lfs_pointer")
    return data


def _onnx(data: bytes) -> Network:
    session = onnx_runtime.open_session(data)
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        raise ValueError(f"has {len(inputs)} inputs of type {inputs[0].type if inputs else 'none'}, not one of float32")
    name, rank = inputs[0].name, len(inputs[0].shape)
    if rank not in (2, 3):
        raise ValueError(f"its input has {rank} dimensions, not (1, samples) or (1, frames, {_MELS})")
    return lambda samples: session.run(None, {name: samples if rank == 2 else filterbank(samples)})[0]


def _torchscript(data: bytes) -> Network:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch 2.13 still reads the format
        module = torch.jit.load(io.BytesIO(data), map_location="cpu").eval()

    def run(samples: np.ndarray) -> np.ndarray:
        found = module(torch.from_numpy(samples))
        return (found[0] if isinstance(found, tuple | list) else found).numpy()

    return run


def filterbank(samples: np.ndarray) -> np.ndarray:
    """(1, n) samples within [-1, 1] -> (1, frames, 80) log mel power, its mean over time taken away."""
    found = kaldi.fbank(
        torch.from_numpy(samples * 32_768.0), num_mel_bins=_MELS, frame_length=25.0, frame_shift=10.0, dither=0.0,
        sample_frequency=float(SAMPLE_RATE), window_type="hamming",
    )  # fmt: skip
    return (found - found.mean(dim=0)).numpy()[None]
