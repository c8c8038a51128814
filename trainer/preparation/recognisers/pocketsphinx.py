"""The pocketsphinx recogniser (US English) with its own models, which are used only when their bytes are the known ones.

Every wave is decoded by itself (the cepstral mean is its own), so that neither order nor number of processes changes a word.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from trainer.errors import RuntimeSetupError
from trainer.files import packaged_file, strict_json
from trainer.preparation.recognisers.choice import POCKETSPHINX, POCKETSPHINX_PIN
from trainer.preparation.recognisers.heard import Heard, HeardWord

MODEL_SHA256 = POCKETSPHINX_PIN
"""Hash over the names and hashes of the recogniser's model files."""
RATE = 16_000
MAX_S = 30.0
"""Longer waves are transcribed in pieces of this length."""
_SILENT = 1e-3
# Fewer paths at a time: a third faster on 12 clips of a reader, word error rate 0.190 instead of 0.195.
_FAST = {"maxhmmpf": 5000, "maxwpf": 10}
_VARIANT = re.compile(r"\(\d+\)$")
_FRAMES_PER_S = 100
_FILLER = re.compile(r"[<\[+]")


def decoder(**settings: Any) -> Any:
    """A decoder with these settings of pocketsphinx; raises RuntimeSetupError(missing_module | weights_missing_offline | weights_corrupt).

    Batch normalisation of cepstra: the default carries the mean of one utterance over to the next.
    """
    model = model_folder()
    import pocketsphinx

    files = {"hmm": model / "en-us", "lm": model / "en-us.lm.bin", "dict": model / "cmudict-en-us.dict"}
    return pocketsphinx.Decoder(
        **{name: str(path) for name, path in files.items()}, cmn="batch", loglevel="FATAL", **settings
    )


def identity(**settings: Any) -> str:
    """Digest of what decides which words are heard: models, the installed release, and `settings`; equal ones hear the same."""
    try:
        release = metadata.version("pocketsphinx")
    except metadata.PackageNotFoundError:
        release = ""
    return strict_json.digest([MODEL_SHA256, release, settings])


@lru_cache(maxsize=1)
def model_folder() -> Path:
    """Where the verified models lie; raises as `decoder`."""
    model = packaged_file.find("pocketsphinx", "model/en-us")
    listing = "".join(
        f"{path.relative_to(model)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in sorted(model.rglob("*"))
        if path.is_file()
    )
    found = hashlib.sha256(listing.encode()).hexdigest()
    if found != MODEL_SHA256:
        raise RuntimeSetupError(
            f"{model} is not the expected recogniser (sha256 {found[:12]}, not {MODEL_SHA256[:12]}); install the pinned pocketsphinx",
            cause="weights_corrupt",
        )
    return model


@dataclass(slots=True)
class Transcribing:
    """The fast decoder that transcribes recordings: about 0.25 s of CPU per second of speech."""

    name: str = POCKETSPHINX
    _decoder: Any = field(default_factory=lambda: decoder(samprate=RATE, **_FAST))

    @property
    def identity(self) -> str:
        """As `transcribing_identity`."""
        return transcribing_identity()

    def hear(self, wave: np.ndarray, sample_rate: int) -> Heard:
        """Words of (n,) float32 samples, in pieces of MAX_S; nothing for silence, in which the decoder would hear `a`."""
        if np.abs(wave).max(initial=0.0) < _SILENT:
            return Heard(text="")
        samples = soxr.resample(np.asarray(wave, dtype=np.float32), sample_rate, RATE, quality="HQ")
        pulse_code = np.round(np.clip(samples, -1.0, 1.0) * 32_767.0).astype("<i2").tobytes()
        size = 2 * round(MAX_S * RATE)
        said: list[str] = []
        words: list[HeardWord] = []
        for start in range(0, len(pulse_code), size):
            said += _decoded(self._decoder, pulse_code[start : start + size]).split()
            words += _timed(self._decoder, start / 2 / RATE)
        return Heard(text=" ".join(_VARIANT.sub("", word) for word in said), words=tuple(words))


@dataclass(slots=True)
class Scoring:
    """The full decoder that judges voices; it has no silence limit but zeros, and room before the first word."""

    name: str = POCKETSPHINX
    _decoder: Any = field(default_factory=lambda: decoder(samprate=RATE))

    @property
    def identity(self) -> str:
        """What the scores are pinned to: the models alone."""
        return MODEL_SHA256

    def hear(self, wave: np.ndarray, sample_rate: int) -> Heard:
        """Words of (n,) float32 samples; the same whatever was recognised before."""
        samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), sample_rate, RATE, quality="HQ")
        if not samples.any():
            return Heard(text="")  # the recogniser invents words for zeros
        padding = RATE // 4  # a word at the very edge is lost otherwise
        pulse_code = np.clip(np.round(np.pad(samples, padding) * 32_767.0), -32_768, 32_767).astype("<i2")
        said = _decoded(self._decoder, pulse_code.tobytes())
        return Heard(
            text=" ".join(_without_hyphens(said)), words=tuple(_timed(self._decoder, -padding / RATE, _without_hyphens))
        )


def transcribing_identity() -> str:
    """Digest of what decides the words of a transcribed wave."""
    return identity(samprate=RATE, longest_s=MAX_S, silent=_SILENT, **_FAST)


def _without_hyphens(said: str) -> list[str]:
    """Its dictionary writes twenty-one and the like, the normaliser never."""
    return said.replace("-", " ").split()


def _decoded(own: Any, pulse_code: bytes) -> str:
    # The noise that the front end has learnt to remove is the last utterance's: forgotten here, or the order would matter.
    own.start_stream()
    own.start_utt()
    own.process_raw(pulse_code, no_search=False, full_utt=True)
    own.end_utt()
    found = own.hyp()
    return found.hypstr if found is not None else ""


def _timed(own: Any, offset_s: float, said: Callable[[str], list[str]] = str.split) -> list[HeardWord]:
    """The words of the last utterance; the decoder's posteriors are 1 always on a best path, so it is always sure."""
    if own.hyp() is None:
        return []
    found: list[HeardWord] = []
    for part in own.seg():
        spoken = said(_VARIANT.sub("", part.word))
        if _FILLER.match(part.word):
            continue
        start, end = (
            round(max(0.0, offset_s + frame / _FRAMES_PER_S), 3) for frame in (part.start_frame, part.end_frame + 1)
        )
        sure = min(1.0, max(0.0, own.get_logmath().exp(part.prob)))
        found += [HeardWord(text=word, start_s=start, end_s=end, confidence=sure) for word in spoken]
    return found
