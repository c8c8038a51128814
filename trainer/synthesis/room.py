"""The quiet of the recording's room around a sentence: what a microphone hears before the first word and after the last.

A model trained on cut utterances predicts next to no pause at their ends. Without one a sentence starts and stops like a switched tape:
DNSMOS hears it (2.72 against 2.92 on ten sentences of an LJSpeech voice), and listeners do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trainer.synthesis.delivery import SAMPLE_RATE
from trainer.synthesis.finishing import HOP, KEPT_AFTER_S, KEPT_BEFORE_S

if TYPE_CHECKING:
    from trainer.synthesis.narrator import Frames
    from trainer.synthesis.passages import Passage

BEFORE = round(KEPT_BEFORE_S * SAMPLE_RATE / HOP) + 1
AFTER = round(KEPT_AFTER_S * SAMPLE_RATE / HOP) + 1
"""Frames of room before and after a sentence."""
PATTERN = 6
"""Frames that are repeated, forwards and backwards: a single one would hum."""


def with_room(frames: Frames, passage: Passage) -> Frames:
    """The sentence between BEFORE and AFTER frames of the room, added to its first and its last symbol.

    The room is taken from the voice's own pauses, there where the model makes them quietest; unchanged where it makes none.
    """
    pattern = _quietest(frames, passage)
    if pattern is None or not (passage.is_pause[0] and passage.is_pause[-1]):
        return frames
    there_and_back = np.concatenate([pattern, pattern[:, ::-1]], axis=1)
    tiles = np.tile(there_and_back, -(-max(BEFORE, AFTER) // there_and_back.shape[1]))
    durations = frames.frames.copy()
    durations[0] += BEFORE
    durations[-1] += AFTER
    return replace(
        frames,
        mel=np.concatenate([tiles[:, :BEFORE], frames.mel, tiles[:, :AFTER]], axis=1),
        f0=np.pad(frames.f0, (BEFORE, AFTER), mode="edge"),
        voicing=np.pad(frames.voicing, (BEFORE, AFTER)),
        frames=durations,
    )


def _quietest(frames: Frames, passage: Passage) -> np.ndarray | None:
    """The quietest run of at most PATTERN frames inside a pause, (MELS, 1..PATTERN); None without a pause."""
    paused = np.repeat(passage.is_pause, frames.frames)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], paused, [False]]).astype(np.int8)))
    level = frames.mel.mean(axis=0)
    runs = [
        (start, min(start + PATTERN, end))
        for first, end in edges.reshape(-1, 2)
        for start in range(first, max(first + 1, end - PATTERN + 1))
    ]
    if not runs:
        return None
    # A run shorter than the pattern is an edge of speech more often than a pause.
    longest = max(end - start for start, end in runs)
    start, end = min((run for run in runs if run[1] - run[0] == longest), key=lambda run: level[run[0] : run[1]].mean())
    return frames.mel[:, start:end]
