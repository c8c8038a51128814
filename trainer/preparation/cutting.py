"""Cutting speech into utterances at pauses. Pure functions over windows of 32 ms; nothing here touches audio.

A recording becomes segments (speech by hysteresis), segments become paragraphs (no long pause inside), short paragraphs join a neighbour,
long ones split at their longest pause, or failing that where the level dips deepest. What fits no limit is dropped with its reason,
so that kept and dropped cuts together cover all detected speech.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.audio.speech_track import WINDOW_S, SpeechTrack
from trainer.preparation.prepare_settings import PrepareSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One stretch [start, end) in windows; `reason` is None for an utterance, else why it was dropped."""

    start: int
    end: int
    reason: str | None = None


Segments = list[tuple[int, int]]
"""Adjacent speech segments, each [start, end) in windows, ascending; the gaps between them are pauses."""


def cut(track: SpeechTrack, settings: PrepareSettings) -> list[Cut]:
    """All detected speech as cuts, ascending and without overlap; kept ones last between the settings' limits."""
    limits = _Limits.of(settings)
    paragraphs = _paragraphs(speech_segments(track.probabilities, settings), limits.sentence_pause)
    paragraphs = _merge_short(paragraphs, limits)
    pieces = [piece for paragraph in paragraphs for piece in _split_long(paragraph, track.levels_db, limits)]
    spans = _padded([(piece[0][0], piece[-1][1]) for piece in pieces], limits.pad, len(track.probabilities))
    return [_judged(span, piece, track, settings) for span, piece in zip(spans, pieces, strict=True)]


def trimmed(track: SpeechTrack, settings: PrepareSettings) -> list[Cut]:
    """A clip that is one utterance already: cut only at its ends; a clip without speech is dropped whole."""
    windows = len(track.probabilities)
    segments = speech_segments(track.probabilities, settings)
    if not segments:
        return [Cut(start=0, end=windows, reason="not_speech")]
    spans = _padded([(segments[0][0], segments[-1][1])], _Limits.of(settings).pad, windows)
    return [_judged(spans[0], segments, track, settings)]


def seconds(boundary: int, track: SpeechTrack) -> float:
    """Time of a window boundary, never beyond the end of the recording."""
    return min(boundary * WINDOW_S, track.duration_s)


def speech_segments(probabilities: np.ndarray, settings: PrepareSettings) -> Segments:
    """Stretches of speech: they start at `speech_on`, and end where the probability stays under `speech_off` for `min_pause_s`."""
    pause = max(1, round(settings.min_pause_s / WINDOW_S))
    segments: Segments = []
    start = last = None
    for window in np.flatnonzero(probabilities >= settings.speech_off):
        if start is not None and window - last > pause:
            segments.append((start, last + 1))
            start = None
        if start is None and probabilities[window] >= settings.speech_on:
            start = int(window)
        last = int(window)
    if start is not None:
        segments.append((start, last + 1))
    return segments


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """The settings in windows. `shortest` and `longest` hold without padding."""

    shortest: int
    longest: int
    sentence_pause: int
    merge_pause: int
    pad: int
    dip_db: float

    @classmethod
    def of(cls, settings: PrepareSettings) -> _Limits:
        pad = round(settings.pad_s / WINDOW_S)
        return cls(
            shortest=math.ceil(settings.min_utterance_s / WINDOW_S),
            longest=math.floor(settings.max_utterance_s / WINDOW_S) - 2 * pad,
            sentence_pause=round(settings.sentence_pause_s / WINDOW_S),
            merge_pause=round(settings.merge_pause_s / WINDOW_S),
            pad=pad,
            dip_db=settings.min_dip_db,
        )


def _length(piece: Segments) -> int:
    return piece[-1][1] - piece[0][0]


def _paragraphs(segments: Segments, pause: int) -> list[Segments]:
    """Group segments whose gaps stay below `pause` windows."""
    groups: list[Segments] = []
    for segment in segments:
        if groups and segment[0] - groups[-1][-1][1] < pause:
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return groups


def _merge_short(pieces: list[Segments], limits: _Limits) -> list[Segments]:
    """Join each piece that is too short to the nearer neighbour, while the result stays short enough."""
    joined = True
    while joined:
        joined = False
        result: list[Segments] = []
        queue = iter(range(len(pieces)))
        for index in queue:
            piece = pieces[index]
            if _length(piece) + 2 * limits.pad < limits.shortest:
                before = _join_cost(result[-1], piece, limits) if result else math.inf
                after = _join_cost(piece, pieces[index + 1], limits) if index + 1 < len(pieces) else math.inf
                if before <= after and before < math.inf:
                    result[-1] = result[-1] + piece
                    joined = True
                    continue
                if after < math.inf:
                    piece = piece + pieces[next(queue)]
                    joined = True
            result.append(piece)
        pieces = result
    return pieces


def _join_cost(left: Segments, right: Segments, limits: _Limits) -> float:
    """The pause that a join would swallow; infinite where the join is not allowed."""
    gap = right[0][0] - left[-1][1]
    allowed = gap <= limits.merge_pause and right[-1][1] - left[0][0] <= limits.longest
    return gap if allowed else math.inf


def _split_long(piece: Segments, levels_db: np.ndarray, limits: _Limits) -> list[Segments]:
    """Split until every part is short enough or cannot be split; parts stay in order."""
    done: list[Segments] = []
    waiting = [piece]
    while waiting:
        part = waiting.pop()
        halves = _halves(part, levels_db, limits) if _length(part) > limits.longest else None
        if halves is None:
            done.append(part)
        else:
            waiting.extend(reversed(halves))
    return done


def _halves(piece: Segments, levels_db: np.ndarray, limits: _Limits) -> tuple[Segments, Segments] | None:
    """Split at the longest pause with enough speech on both sides, else at the deepest dip, else at any pause, else not at all."""
    gaps = [(piece[i + 1][0] - piece[i][1], -i) for i in range(len(piece) - 1)]
    roomy = [
        (gap, i)
        for gap, i in gaps
        if piece[-i][1] - piece[0][0] >= limits.shortest and piece[-1][1] - piece[1 - i][0] >= limits.shortest
    ]
    if roomy:
        index = -max(roomy)[1] + 1
        return piece[:index], piece[index:]
    dip = _deepest_dip(piece, levels_db, limits)
    if dip is not None:
        left = [(start, min(end, dip)) for start, end in piece if start < dip]
        right = [(max(start, dip), end) for start, end in piece if end > dip]
        return left, right
    if gaps:
        index = -max(gaps)[1] + 1
        return piece[:index], piece[index:]
    return None


def _deepest_dip(piece: Segments, levels_db: np.ndarray, limits: _Limits) -> int | None:
    """The window whose level, smoothed over three, falls furthest below the piece's mean power, if far enough to be a pause."""
    start, end = piece[0][0], piece[-1][1]
    low, high = start + limits.shortest, end - limits.shortest
    if high <= low:
        return None
    power = np.power(10.0, levels_db[start:end] / 10.0, dtype=np.float64)
    smoothed = np.convolve(power, np.ones(3) / 3, mode="same")
    dip = int(np.argmin(smoothed[low - start : high - start])) + low
    depth = 10.0 * np.log10(max(power.mean(), 1e-12) / max(smoothed[dip - start], 1e-12))
    return dip if depth >= limits.dip_db else None


def _padded(spans: Sequence[tuple[int, int]], pad: int, windows: int) -> list[tuple[int, int]]:
    """Widen each span by up to `pad` windows; two neighbours share the pause between them."""
    starts = [start for start, _ in spans]
    ends = [end for _, end in spans]
    padded = []
    for i, (start, end) in enumerate(spans):
        before = start - (ends[i - 1] if i else 0)
        after = (starts[i + 1] if i + 1 < len(spans) else windows) - end
        left = min(pad, before if i == 0 else before - before // 2)
        right = min(pad, after if i + 1 == len(spans) else after // 2)
        padded.append((start - left, end + right))
    return padded


def _judged(span: tuple[int, int], piece: Segments, track: SpeechTrack, settings: PrepareSettings) -> Cut:
    """Give a padded span its verdict: too_short, too_long, not_speech or kept."""
    start, end = span
    duration = seconds(end, track) - seconds(start, track)
    speech = sum(segment_end - segment_start for segment_start, segment_end in piece)
    confident = int(np.count_nonzero(track.probabilities[start:end] >= settings.speech_on))
    if duration < settings.min_utterance_s:
        reason = "too_short"
    elif duration > settings.max_utterance_s:
        reason = "too_long"
    elif min(speech, confident) < settings.min_speech_fraction * (end - start):
        reason = "not_speech"
    else:
        reason = None
    return Cut(start=start, end=end, reason=reason)
