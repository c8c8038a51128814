"""What is said in an utterance, by pocketsphinx with its own English models: offline, about 0.25 s of CPU per second of speech.

Every utterance is decoded by itself (the cepstral mean is its own), so that neither order nor number of processes changes a word.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr

from trainer.audio.features import SAMPLE_RATE
from trainer.preparation import parallel, recogniser

DECODER_RATE = 16_000
MAX_S = 30.0
"""Longer waves are recognised in pieces of this length."""
_SILENT = 1e-3
# Fewer paths at a time: a third faster on 12 clips of a reader, word error rate 0.190 instead of 0.195.
_SETTINGS = {"maxhmmpf": 5000, "maxwpf": 10}
_VARIANT = re.compile(r"\(\d+\)$")
_decoder: Any = None  # one per worker process


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Words recognised in one utterance, lower case and separated by spaces; "" where nothing was understood."""

    text: str


Progress = Callable[[int, int], None]
"""Receives the number of utterances done and of all."""


def recognise(waves: Sequence[np.ndarray], *, processes: int = 1, on_progress: Progress | None = None) -> list[Heard]:
    """What is said in each wave (n,) float32 at SAMPLE_RATE; the number of `processes` changes nothing in it.

    How far a text can be trusted is left to the aligner: recognised words are worth learning from if their alignment, by an aligner adapted to
    the voice, scores at least PrepareSettings.min_recognised_score. On 32 clips of one reader (word error rate 0.27, phone error rate 0.14)
    that score's correlation with the word error rate is -0.71, with the phone error rate -0.69; the three clips below -1.2 had word error
    rates of 0.82, 0.39 and 0.43. The decoder's own posteriors are 1 always.

    Raises RuntimeSetupError: missing_module where pocketsphinx is not installed, TrainingError: out_of_memory where a process was killed, and as
    `recogniser.decoder`.
    """
    recogniser.model_folder()  # before any worker: what it raises must end the job, not a worker
    done = itertools.count(1)
    report = (lambda: on_progress(next(done), len(waves))) if on_progress else None
    return parallel.each(_recognise_one, list(map(_pulse_code, waves)), processes=processes, on_progress=report)


def identity() -> str:
    """Digest of what decides the words of a wave; what another recogniser heard is not what this one would hear."""
    return recogniser.identity(samprate=DECODER_RATE, longest_s=MAX_S, silent=_SILENT, **_SETTINGS)


def _pulse_code(wave: np.ndarray) -> bytes:
    """(n,) float32 at SAMPLE_RATE as 16-bit samples at DECODER_RATE; nothing for silence, in which the decoder would hear `a`."""
    if np.abs(wave).max(initial=0.0) < _SILENT:
        return b""
    moved = soxr.resample(np.asarray(wave, dtype=np.float32), SAMPLE_RATE, DECODER_RATE, quality="HQ")
    return np.round(np.clip(moved, -1.0, 1.0) * 32_767.0).astype("<i2").tobytes()


def _recognise_one(samples: bytes) -> Heard:
    piece = 2 * round(MAX_S * DECODER_RATE)
    decoder = _own_decoder()
    words: list[str] = []
    for start in range(0, len(samples), piece):
        # The noise that the front end has learnt to remove is the last utterance's: forgotten here, or the order would matter.
        decoder.start_stream()
        decoder.start_utt()
        decoder.process_raw(samples[start : start + piece], full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is not None:
            words.extend(decoder.hyp().hypstr.split())
    return Heard(text=" ".join(_VARIANT.sub("", word) for word in words))


def _own_decoder() -> Any:
    global _decoder
    if _decoder is None:
        _decoder = recogniser.decoder(samprate=DECODER_RATE, **_SETTINGS)
    return _decoder
