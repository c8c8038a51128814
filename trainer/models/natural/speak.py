"""Speaks with an exported natural voice: numpy and onnxruntime, nothing else.

    python speak.py "The time is now half past ten." hello.wav      (pronounced by the package: pip install hibari-tts)
    python speak.py --phonemes "həlˈO ðˈɛɹ." hello.wav

`voice export onnx` writes this file beside the three networks. The trainer's own voices compute with the same functions. Symbols become
times (times.onnx); whole frames and the speaker's factors are applied here; the symbol of each frame becomes melody (melody.onnx), which
is moved here; symbols and melody become spectra (decoder.onnx), which become a wave here:

    S = exp(h) e^(i pi tanh t) STFT(pulses) + exp(n) noise + exp(r) e^(i p)

h, t: log magnitude and phase of the filter of the pulses; n: log magnitude of the noise; r, p: a residual that needs no source.
"""

from __future__ import annotations

import json
import sys
import wave
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

PARTS = ("times.onnx", "melody.onnx", "decoder.onnx")
SAMPLE_RATE = 24_000
FFT, HOP = 1200, 300
BINS = FFT // 2 + 1
SPECTRA = 5
"""Of a frame: h, t, n, r, p."""
FRAME_RATE = SAMPLE_RATE / HOP
FRAMES_PER_TEXT_FRAME = 2
"""A symbol lasts a whole number of text frames (25 ms)."""
TEXT_FRAME_S = FRAMES_PER_TEXT_FRAME / FRAME_RATE

VOICED_FROM_HZ = 40.0
"""Where F0 is lower there are no pulses."""
LOWEST_HZ = 45.0
"""What is voiced stays voiced, however low the speaker."""
HIGHEST_HZ = 11_000.0
"""No harmonic lies above it: the base was trained so."""
MOST_LOG_MAGNITUDE = 7.0
"""Of the networks' outputs before the exponential, so that a strange one cannot give an infinite sample."""
NEAR_PULSE = 2e-3
"""Below so large a denominator the closed form of the pulses is replaced by its limit."""
BLOCK = 128
"""Frames whose spectra become sound at once: they stay in the processor's cache, and a long sentence takes little memory."""
IMMENSE = 1e6
"""Text frames; times that are larger, or no numbers, are bounded before they are counted."""
BEFORE_S, AFTER_S = 0.25, 0.4
"""Least quiet at both ends: a sentence that starts and stops like a switched tape is heard as one."""


def text_frames(
    times: np.ndarray, is_pause: np.ndarray, speaker: Mapping[str, float], *, rate: float = 1.0, pause: float = 1.0
) -> np.ndarray:
    """(P,) text frames as real numbers at the base's pace, (P,) bool -> (P,) int64: this speaker's, at this rate."""
    slower = np.where(is_pause, np.float32(pause), np.float32(1.0)) / np.float32(rate * speaker["rate"])
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = np.nan_to_num(np.round(times * slower), nan=0.0, posinf=IMMENSE)
    frames = np.clip(rounded, 1.0, IMMENSE).astype(np.int64)
    frames[0] = max(frames[0], round(BEFORE_S / TEXT_FRAME_S))
    # The last mark is quiet too.
    frames[-1] = max(frames[-1], round(AFTER_S / TEXT_FRAME_S) - frames[-2] * int(is_pause[-2]))
    return frames


def moved(f0: np.ndarray, speaker: Mapping[str, float], *, pitch: float = 0.0, liveliness: float = 1.0) -> np.ndarray:
    """(T,) Hz of the base -> (T,): this speaker's, so many semitones higher, with so much of the melody around its mean."""
    voiced = f0 > VOICED_FROM_HZ
    if not voiced.any():
        return f0
    log_f0 = np.log(np.maximum(f0, np.float32(VOICED_FROM_HZ)))
    mean = log_f0[voiced].mean()
    spread = mean + (log_f0 - mean) * np.float32(speaker["liveliness"] * liveliness)
    hertz = np.exp(spread) * np.float32(speaker["f0"] * 2.0 ** (pitch / 12.0))
    return np.where(voiced, np.maximum(hertz, np.float32(LOWEST_HZ)), f0)


def symbol_of_frame(frames: np.ndarray) -> np.ndarray:
    """(P,) how long each symbol lasts -> (T,) int64: which symbol each frame is of."""
    return np.repeat(np.arange(len(frames)), frames)


def synthesise(spectra: np.ndarray, f0: np.ndarray, noise: np.random.Generator) -> np.ndarray:
    """(T, SPECTRA * BINS) and (T,) Hz -> (T * HOP,) float32."""
    heard, sounding = _windows_of(pulses(f0), len(f0))
    windows = np.empty((len(f0), FFT), np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(f0), BLOCK):
            rows = slice(start, start + BLOCK)
            whole = _whole(spectra[rows], heard[rows], sounding[rows], noise)
            np.multiply(np.fft.irfft(whole, FFT), _window(), out=windows[rows])
    return _overlapped(windows)


def pulses(f0: np.ndarray) -> np.ndarray:
    """All harmonics of F0 up to HIGHEST_HZ with amplitude 1: (T,) Hz -> (T * HOP,); nothing where unvoiced.

    Closed form of the sum of N cosines (Dirichlet kernel): sin((N + 1/2) p) / (2 sin(p / 2)) - 1/2.
    """
    # A frame's F0 is that of its middle; between two of them it is interpolated.
    before, after = _between(), np.pad(f0, 1, mode="edge")[:, None]
    half = HOP // 2
    track = np.concatenate(
        [
            after[:-2] * (1.0 - before[:half]) + after[1:-1] * before[:half],
            after[1:-1] * (1.0 - before[half:]) + after[2:] * before[half:],
        ],
        axis=1,
    ).ravel()
    voiced = track > VOICED_FROM_HZ
    np.maximum(track, np.float32(VOICED_FROM_HZ), out=track)
    # The phase is summed in double precision: in single it is off by a radian at the 50th harmonic after some seconds.
    turns = np.cumsum(track, dtype=np.float64) / SAMPLE_RATE
    phase = (2.0 * np.pi * (turns - np.floor(turns))).astype(np.float32)
    harmonics = np.floor(np.float32(HIGHEST_HZ) / track) + np.float32(0.5)
    below = np.float32(2.0) * np.sin(np.float32(0.5) * phase)
    near = np.abs(below) <= NEAR_PULSE
    below[near] = 1.0
    kernel = np.where(near, harmonics, np.sin(harmonics * phase) / below) - np.float32(0.5)
    kernel[~voiced] = 0.0
    return kernel


def _windows_of(pulsed: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """(T, FFT) what each frame hears of the pulses, and (T,) bool: whether it hears any."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(pulsed, FFT // 2, mode="reflect"), FFT)[::HOP][:frames]
    heard = np.pad(pulsed.reshape(frames, HOP).any(axis=1), 2)
    return windows, heard[:-4] | heard[1:-3] | heard[2:-2] | heard[3:-1]


def _whole(spectra: np.ndarray, heard: np.ndarray, sounding: np.ndarray, noise: np.random.Generator) -> np.ndarray:
    """S of the module for some frames: (n, BINS) complex64."""
    harmonic, harmonic_phase, level, residual, residual_phase = np.split(spectra, SPECTRA, axis=1)
    whole = _polar(residual, residual_phase)
    # A cosine of amplitude 1 has magnitude 1 in its bin. With norm="backward" numpy computes in double precision.
    source = np.fft.rfft(heard[sounding] * (np.float32(4.0) * _window()), norm="forward")
    whole[sounding] += source * _polar(harmonic[sounding], np.float32(np.pi) * np.tanh(harmonic_phase[sounding]))
    drawn = noise.standard_normal((len(spectra), 2 * BINS), dtype=np.float32).view(np.complex64)
    drawn *= _magnitude(level)
    whole += drawn
    return whole


def _overlapped(windows: np.ndarray) -> np.ndarray:
    """(T, FFT) windowed frames, each centred on its first sample -> (T * HOP,): added, and divided by the windows' own sum."""
    parts = FFT // HOP
    summed, weight = (np.zeros((len(windows) + parts - 1, HOP), np.float32) for _ in range(2))
    squares = np.square(_window()).reshape(parts, HOP)
    for part, one in enumerate(windows.reshape(-1, parts, HOP).transpose(1, 0, 2)):
        summed[part : part + len(windows)] += one
        weight[part : part + len(windows)] += squares[part]
    inside = slice(FFT // 2, FFT // 2 + len(windows) * HOP)
    return summed.ravel()[inside] / weight.ravel()[inside]


def _magnitude(log_magnitude: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(log_magnitude, np.float32(MOST_LOG_MAGNITUDE)))


def _polar(log_magnitude: np.ndarray, phase: np.ndarray) -> np.ndarray:
    magnitude, found = _magnitude(log_magnitude), np.empty(phase.shape, np.complex64)
    np.multiply(magnitude, np.cos(phase), out=found.real)
    np.multiply(magnitude, np.sin(phase), out=found.imag)
    return found


@lru_cache
def _window() -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)  # Hann, periodic


@lru_cache
def _between() -> np.ndarray:
    """How far each sample of a frame is from the middle of one frame to that of the next."""
    return (((np.arange(HOP) + 0.5) / HOP - 0.5) % 1.0).astype(np.float32)


class Exported:
    """The three networks of a folder that `voice export onnx` wrote, on one thread."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.parts = [onnxruntime.InferenceSession(folder / name, options) for name in PARTS]
        about = self.parts[0].get_modelmeta().custom_metadata_map
        self.speaker: dict[str, float] = json.loads(about["speaker"])
        self.symbols: dict[str, int] = json.loads(about["symbols"])
        self.pauses: list[int] = json.loads(about["pauses"])
        self.edge = int(about["edge"])

    def say(self, phonemes: str, *, seed: int = 0, **delivery: float) -> np.ndarray:
        """One sentence -> (n,) float32 at SAMPLE_RATE; `delivery`: rate, pause, pitch, liveliness.

        Raises ValueError for a character that is no symbol.
        """
        times, melody, decoder = self.parts
        symbols = np.array([self.edge, *map(self._number, phonemes), self.edge], np.int64)
        pace = {name: value for name, value in delivery.items() if name in ("rate", "pause")}
        tune = {name: value for name, value in delivery.items() if name not in pace}
        found, encoded = times.run(None, {"symbols": symbols})
        frames = text_frames(found, np.isin(symbols, self.pauses), self.speaker, **pace)
        f0, energy = melody.run(None, {"encoded": encoded, "symbol_of_text_frame": symbol_of_frame(frames)})
        f0 = moved(f0, self.speaker, **tune)
        of_frame = symbol_of_frame(FRAMES_PER_TEXT_FRAME * frames)
        given = {"symbols": symbols, "symbol_of_frame": of_frame, "f0": f0, "energy": energy}
        return synthesise(decoder.run(None, given)[0], f0, np.random.default_rng(seed))

    def _number(self, symbol: str) -> int:
        if symbol not in self.symbols:
            raise ValueError(f"{symbol!r} is no symbol of this voice; it knows {''.join(self.symbols)}")
        return self.symbols[symbol]


def _main(arguments: list[str]) -> None:
    said, path = arguments[-2:]
    voice = Exported(Path(__file__).parent)
    if arguments[:-2] != ["--phonemes"]:
        from hibari.g2p import G2P

        # For unknown words the package also writes three signs that no voice knows.
        said = "".join(one for one in G2P()(said) if one in voice.symbols)
    samples = voice.say(said)
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    _main(sys.argv[1:])
