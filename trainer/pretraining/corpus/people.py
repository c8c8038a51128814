"""Human speech: recordings of many people, with what a recogniser heard in them.

All of it teaches the vocoder; what the aligner bears out teaches the acoustic model too. People do not say punctuation: a pause as long as
a comma's becomes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from trainer.audio import features, quality, recording
from trainer.models.aligner import Aligner, AlignmentError, adapt, align
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.pretraining.corpus import render
from trainer.text import TextError, analyse
from trainer.text.phones import PAUSES, SILENCE
from trainer.text.words import Word

MIN_CONFIDENCE = 0.6
LONGEST_S = 12.0
_COMMA_S = 0.2
_SETTINGS = PrepareSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One person's utterance: (n,) float32 at SAMPLE_RATE and the common loudness, features, and words (empty where nothing was understood)."""

    name: str
    wave: np.ndarray
    found: features.Features
    words: tuple[Word, ...]
    text: str


def read(path: Path, text: str) -> Clip:
    """A file in any rate as a clip; raises DataError as `recording.read`."""
    wave = read_wave(path)
    return Clip(name=path.stem, wave=wave, found=features.extract(wave), words=recognised_words(text), text=text)


def read_wave(path: Path) -> np.ndarray:
    """A file in any rate as (n,) float32 at SAMPLE_RATE and the common loudness; raises as `read`."""
    mono, rate = recording.read(path)
    if rate != features.SAMPLE_RATE:
        mono = soxr.resample(mono, rate, features.SAMPLE_RATE, quality="HQ")
    return quality.normalised(mono - mono.mean(), quality.loudness_lufs(mono, features.SAMPLE_RATE), _SETTINGS)


def recognised_words(text: str) -> tuple[Word, ...]:
    """Words of a text without punctuation; the last one ends a sentence."""
    try:
        words = [word for sentence in analyse(text).sentences for word in sentence.words]
    except TextError:
        return ()
    return tuple(
        Word(word.text, word.pronunciations, "." if index == len(words) - 1 else "") for index, word in enumerate(words)
    )


def entries(clip: Clip, aligner: Aligner) -> list[dict[str, Any]]:
    """The clip in pieces of at most LONGEST_S, with symbols where the aligner believes the text. All carry their wave."""
    speaker = f"human-{clip.name.split('-')[0]}"
    labels, confidence = _labels(clip, aligner)
    made = []
    for start, end, part in _pieces(clip, labels):
        wave = clip.wave[start * features.HOP : min(len(clip.wave), end * features.HOP)]
        found = features.Features(
            mel=clip.found.mel[:, start:end].clone(),
            f0=clip.found.f0[start:end].clone(),
            voicing=clip.found.voicing[start:end].clone(),
        )
        text = clip.text if part is None or part is labels else ""
        made.append(
            render.entry(
                wave, found, part, speaker=speaker, text=text, with_wave=True, confidence=confidence if part else 0.0
            )
        )
    return made


def _labels(clip: Clip, aligner: Aligner) -> tuple[render.Timed | None, float]:
    if not clip.words:
        return None, 0.0
    try:
        placed = align(clip.found.mel, clip.words, adapt([(clip.found.mel, clip.words)], aligner, rounds=2))
    except AlignmentError:
        return None, 0.0
    if placed.confidence < MIN_CONFIDENCE:
        return None, placed.confidence
    comma = round(_COMMA_S * features.SAMPLE_RATE / features.HOP)
    symbols = tuple(
        "," if symbol == SILENCE and frames >= comma and 0 < index < len(placed.symbols) - 1 else symbol
        for index, (symbol, frames) in enumerate(zip(placed.symbols, placed.frames, strict=True))
    )
    return render.Timed(symbols=symbols, word_starts=placed.word_starts, frames=placed.frames), placed.confidence


def _pieces(clip: Clip, labels: render.Timed | None) -> list[tuple[int, int, render.Timed | None]]:
    """[first frame, end) of each piece and its labels; long clips are cut in the pause nearest to their middle, or without labels there."""
    frames = clip.found.mel.shape[1]
    longest = round(LONGEST_S * features.SAMPLE_RATE / features.HOP)
    if frames <= longest:
        return [(0, frames, labels)]
    if labels is None:
        return [(0, frames // 2, None), (frames // 2, frames, None)]
    ends = np.cumsum(labels.frames)
    inner = [
        index
        for index, symbol in enumerate(labels.symbols)
        if symbol in PAUSES and labels.frames[index] >= 6 and 0 < index < len(ends) - 1
    ]
    fitting = [
        index for index in inner if max(_middle(ends, labels, index), frames - _middle(ends, labels, index)) <= longest
    ]
    if not fitting:
        return [(0, frames // 2, None), (frames // 2, frames, None)]
    best = min(fitting, key=lambda index: abs(_middle(ends, labels, index) - frames / 2))
    cut = _middle(ends, labels, best)
    tail = int(ends[best] - cut)
    left = render.Timed(
        symbols=(*labels.symbols[:best], ","),
        word_starts=(*labels.word_starts[:best], False),
        frames=(*labels.frames[:best], labels.frames[best] - tail),
    )
    right = render.Timed(
        symbols=(SILENCE, *labels.symbols[best + 1 :]),
        word_starts=(False, *labels.word_starts[best + 1 :]),
        frames=(tail, *labels.frames[best + 1 :]),
    )
    return [(0, cut, left), (cut, frames, right)]


def _middle(ends: np.ndarray, labels: render.Timed, index: int) -> int:
    return int(ends[index] - labels.frames[index] // 2)
