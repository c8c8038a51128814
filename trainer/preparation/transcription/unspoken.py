"""Words of a text that nobody says, in the midst of a stretch that is spoken: a licence, a heading, a sentence that the reader skipped.

A run of words is suspected where the recogniser heard none of them. It is left out where the sound bears the text out better without it: unspoken
words have no time of their own, so they push the spoken ones together and cost likelihood; spoken words that were only not understood gain it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from itertools import pairwise

from trainer.text import Word

_SHORTEST = 3
"""Words; a shorter run is within what the recogniser overhears in a right text."""
_SHORT = 3
"""Letters of words that are everywhere: beside no longer word they are heard by chance."""


def unheard_runs(stretch: range, heard: Collection[int], words: Sequence[Word]) -> list[range]:
    """The parts of a stretch of words in which none was recognised, each long enough to be suspected; none if nothing was."""
    long = {index for index in stretch if index in heard and len(words[index].text) > _SHORT}
    sure = sorted(long | {index for index in stretch if index in heard and {index - 1, index + 1} & long})
    bounds = [stretch.start - 1, *sure, stretch.stop]
    runs = [range(left + 1, right) for left, right in pairwise(bounds)]
    return [run for run in runs if _SHORTEST <= len(run) < len(stretch)] if sure else []


def runs_left_out(
    stretch: range, runs: Iterable[range], total: Callable[[Sequence[int]], float], least: float
) -> list[range]:
    """Those of the runs that are not spoken, or what is not spoken of them.

    `total` is the log-likelihood of a stretch with the words that it is given. A run, or what is left of it when the words at its ends that are
    spoken came back, is left out if that gains `least` a word.
    """
    found: list[range] = []
    left, whole = list(stretch), total(stretch)
    for run in runs:
        # Each run is tried in several lengths, and some of them twice.
        without = cache(lambda part, left=tuple(left): total([index for index in left if index not in part]))
        candidate = run
        for _ in range(2):  # words at either end that are spoken after all come back
            starts = range(run.start, candidate.stop - _SHORTEST + 1)
            best, candidate = max(
                ((without(part), part) for part in (range(start, candidate.stop) for start in starts)), key=_gain
            )
            stops = range(candidate.start + _SHORTEST, run.stop + 1)
            best, candidate = max(
                ((without(part), part) for part in (range(candidate.start, stop) for stop in stops)), key=_gain
            )
        if best - whole >= least * len(candidate):
            found.append(candidate)
            left, whole = [index for index in left if index not in candidate], best
    return found


def _gain(tried: tuple[float, range]) -> tuple[float, int]:
    """Of two runs that gain the same the shorter one counts."""
    return tried[0], -len(tried[1])
