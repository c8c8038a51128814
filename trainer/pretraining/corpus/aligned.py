"""Synthetic speech whose times nobody tells: spoken, then aligned with models adapted to each pseudo speaker."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.audio import features
from trainer.models.aligner import Aligner, AlignmentError, adapt, align
from trainer.pretraining.corpus import render
from trainer.pretraining.corpus.speakers import ESPEAK, Speaker
from trainer.pretraining.corpus.texts import Sentence, pronunciations
from trainer.teachers import espeak, flite
from trainer.text.words import Word

MIN_CONFIDENCE = 0.5
_WORDS_PER_MINUTE = 165
_TRIMMED_S = 0.16  # of silence is kept at both ends, as the preparation of a recording does
_SILENCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Utterance:
    sentence: Sentence
    speaker: Speaker
    wave: np.ndarray
    found: features.Features


def utterances(
    lines: Sequence[tuple[Sentence, Speaker]], aligner: Aligner, rng: np.random.Generator, *, wave_share: float
) -> list[dict[str, Any]]:
    """Entries of the sentences that aligned well, in order."""
    spoken = [
        _Utterance(sentence=sentence, speaker=speaker, wave=wave, found=features.extract(wave))
        for sentence, speaker, wave in _waves(lines, rng)
    ]
    grouped: dict[str, list[_Utterance]] = defaultdict(list)
    for each in spoken:
        grouped[each.speaker.name].append(each)
    adapted = {
        name: adapt([(each.found.mel, words_of(each.sentence)) for each in group], aligner)
        for name, group in grouped.items()
    }
    entries = []
    for each in spoken:
        with_wave = bool(rng.random() < wave_share)
        try:
            placed = align(each.found.mel, words_of(each.sentence), adapted[each.speaker.name])
        except AlignmentError:
            continue
        if placed.confidence >= MIN_CONFIDENCE:
            labels = render.Timed(symbols=placed.symbols, word_starts=placed.word_starts, frames=placed.frames)
            entries.append(
                render.entry(
                    each.wave, each.found, labels, speaker=each.speaker.name, text=each.sentence.text, with_wave=with_wave,
                    confidence=placed.confidence,
                )
            )  # fmt: skip
    return entries


def words_of(sentence: Sentence) -> tuple[Word, ...]:
    """The sentence's words with the pronunciations of the dictionary."""
    return tuple(
        Word(word, pronunciations()[word], mark) for word, mark in zip(sentence.words, sentence.marks, strict=True)
    )


def _waves(
    lines: Sequence[tuple[Sentence, Speaker]], rng: np.random.Generator
) -> list[tuple[Sentence, Speaker, np.ndarray]]:
    """Each sentence as its speaker says it, (n,) float32 at SAMPLE_RATE; those of unusable length left out."""
    by_espeak = [(sentence, speaker) for sentence, speaker in lines if speaker.kind == ESPEAK]
    requests = [
        espeak.SpeechRequest(
            text=sentence.text,
            voice=speaker.voice,
            rate_wpm=round(_WORDS_PER_MINUTE / (speaker.stretch * speaker.warp) * math.exp(rng.normal(0.0, 0.06))),
            pitch=int(np.clip(speaker.pitch + rng.normal(0.0, 4.0), 0, 99)),
        )
        for sentence, speaker in by_espeak
    ]
    replies = iter(espeak.speak_all(requests) if requests else ())
    spoken = []
    for sentence, speaker in lines:
        if speaker.kind == ESPEAK:
            samples, rate = next(replies)
            wave = render.shaped(_trimmed(samples, rate), rate, speaker, rng)
        else:
            wave = render.shaped(*_flite(sentence, speaker, rng), speaker, rng)
        if render.MIN_S <= len(wave) / features.SAMPLE_RATE <= render.MAX_S:
            spoken.append((sentence, speaker, wave))
    return spoken


def _flite(sentence: Sentence, speaker: Speaker, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    said = flite.speak(
        sentence.text,
        speaker.voice,
        f0_hz=speaker.f0_hz / speaker.warp * math.exp(rng.normal(0.0, 0.05)),
        f0_range_hz=speaker.f0_range_hz / speaker.warp,
        stretch=speaker.stretch * speaker.warp,
    )
    return _trimmed(said.wave, said.sample_rate), said.sample_rate


def _trimmed(wave: np.ndarray, sample_rate: int) -> np.ndarray:
    """`wave` (n,) with a little silence at both ends, whatever it had."""
    loud = np.flatnonzero(np.abs(wave) > _SILENCE)
    pad = np.zeros(round(_TRIMMED_S * sample_rate), np.float32)
    kept = wave[loud[0] : loud[-1] + 1] if len(loud) else wave
    return np.concatenate([pad, kept, pad])
