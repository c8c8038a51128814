"""What is said in each of many waves, by the chosen recogniser, on several processes; their number changes nothing in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from trainer.audio.features import SAMPLE_RATE
from trainer.preparation import parallel, recognisers
from trainer.preparation.recognisers import Heard, RecogniserChoice

__all__ = ["Heard", "Progress", "recognise"]

Progress = Callable[[int, int], None]
"""Receives the number of utterances done and of all."""


def recognise(
    waves: Sequence[np.ndarray],
    *,
    choice: RecogniserChoice | None = None,
    processes: int = 1,
    on_progress: Progress | None = None,
) -> list[Heard]:
    """What is said in each wave (n,) float32 at SAMPLE_RATE.

    How far a text can be trusted is left to the aligner: recognised words are worth learning from if their alignment, by an aligner adapted to
    the voice, scores at least PrepareSettings.min_recognised_score. On 32 clips of one reader (pocketsphinx: word error rate 0.27, phone error
    rate 0.14) that score's correlation with the word error rate is -0.71, with the phone error rate -0.69; the three clips below -1.2 had word
    error rates of 0.82, 0.39 and 0.43.

    Raises RuntimeSetupError as `recognisers.check`, and as `parallel.pool` if a process was lost.
    """
    choice = (choice or RecogniserChoice()).settled()
    recognisers.check(choice)  # before any worker: what it raises must end the job, not a worker
    done = itertools.count(1)
    report = (lambda: on_progress(next(done), len(waves))) if on_progress else None
    return parallel.each(partial(_hear, choice), waves, processes=processes, on_progress=report)


def _hear(choice: RecogniserChoice, wave: np.ndarray) -> Heard:
    return recognisers.transcribing(choice).hear(wave, SAMPLE_RATE)
