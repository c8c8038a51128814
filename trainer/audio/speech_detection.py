"""Speech detection as a stream: silero-vad's network over windows of 32 ms, in bounded memory.

The weights are those of the silero-vad package (MIT licence). The network is evaluated many windows at a time (only its LSTM is sequential),
which costs a sixth of the package's window-by-window interface.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from trainer.errors import RuntimeSetupError, foreign_failures
from trainer.files import packaged_file

SAMPLE_RATE = 16_000
WINDOW = 512
_CONTEXT = 64  # samples of the previous window that the network sees again
_BATCH = 1024  # windows per evaluation: 33 s of audio
_WEIGHTS = "data/silero_vad_16k.safetensors"
WEIGHTS_SHA256 = "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1"
"""Of the weights of the pinned silero-vad."""
_BINS = 129


class SpeechNetwork(nn.Module):
    """STFT magnitudes, four convolutions, one LSTM, one sigmoid: (windows, 64 + 512) samples -> (windows,) speech probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _BINS, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(_BINS, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm = nn.LSTM(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, frames: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None):
        """(windows, 576) and the LSTM state of the window before -> ((windows,) probabilities, new state)."""
        spectrum = self.stft_conv(functional.pad(frames, (0, _CONTEXT), mode="reflect").unsqueeze(1))
        hidden = (spectrum[:, :_BINS] ** 2 + spectrum[:, _BINS:] ** 2).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            hidden = layer(hidden).relu()
        output, state = self.lstm(hidden.squeeze(-1), state)
        return self.final_conv(output.relu().unsqueeze(-1)).sigmoid().reshape(-1), state


class SpeechDetector:
    """Turns a 16 kHz stream into one speech probability per complete window of 512 samples."""

    def __init__(self) -> None:
        self._network = _load_network()
        self._state: tuple[torch.Tensor, torch.Tensor] | None = None
        self._pending = np.zeros(_CONTEXT, dtype=np.float32)  # context, then samples that do not fill a batch yet

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """(n,) float32 -> probabilities of the windows that became complete, in batches; the rest waits."""
        self._pending = np.concatenate([self._pending, samples])
        ready = (len(self._pending) - _CONTEXT) // (WINDOW * _BATCH) * _BATCH
        return self._evaluate(ready)

    def finish(self) -> np.ndarray:
        """Probabilities of all remaining windows; the last one is filled up with zeros."""
        missing = -(len(self._pending) - _CONTEXT) % WINDOW
        self._pending = np.concatenate([self._pending, np.zeros(missing, dtype=np.float32)])
        return self._evaluate((len(self._pending) - _CONTEXT) // WINDOW)

    def _evaluate(self, windows: int) -> np.ndarray:
        results = [np.zeros(0, dtype=np.float32)]
        with one_thread(), torch.inference_mode():
            for first in range(0, windows, _BATCH):
                count = min(_BATCH, windows - first)
                part = self._pending[first * WINDOW : (first + count) * WINDOW + _CONTEXT]
                frames = np.lib.stride_tricks.sliding_window_view(part, WINDOW + _CONTEXT)[::WINDOW]
                probabilities, self._state = self._network(torch.from_numpy(frames.copy()), self._state)
                results.append(probabilities.numpy())
        self._pending = self._pending[windows * WINDOW :].copy()
        return np.concatenate(results)


@contextmanager
def one_thread() -> Iterator[None]:
    """Evaluate with one torch thread, so that the result does not depend on the machine's core count."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=1)
def _load_network() -> SpeechNetwork:
    """The network, shared by all detectors: it holds no state of a stream."""
    network = SpeechNetwork()
    with foreign_failures(
        lambda line: RuntimeSetupError(
            f"the speech detector's weights cannot be read ({line}); install silero-vad again", cause="weights_corrupt"
        )
    ):
        network.load_state_dict({_parameter(name): tensor for name, tensor in read_safetensors(_weights()).items()})
    return network.eval()


def weights_sha256() -> str:
    """Of the detector's weights, once they are known to be installed; raises as `packaged_file.read`."""
    _weights()
    return WEIGHTS_SHA256


def _weights() -> bytes:
    return packaged_file.read("silero_vad", _WEIGHTS, sha256=WEIGHTS_SHA256, distribution="silero-vad")


def _parameter(name: str) -> str:
    """The package stores the LSTM as one cell; torch's sequence layer calls the same tensors by layer."""
    return name.replace("lstm_cell.", "lstm.") + "_l0" if name.startswith("lstm_cell.") else name


def read_safetensors(data: bytes) -> dict[str, torch.Tensor]:
    """float32 tensors of a safetensors file (64-bit header length, JSON header, raw little-endian data); raises ValueError."""
    header_end = 8 + int.from_bytes(data[:8], "little")
    if not 8 < header_end <= len(data):
        raise ValueError("not a safetensors file")
    tensors = {}
    for name, entry in json.loads(data[8:header_end]).items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[header_end + start : header_end + end], dtype="<f4").copy()
        if entry["dtype"] != "F32" or not np.isfinite(values).all():
            raise ValueError(f"{name} is not finite float32")
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
    return tensors
