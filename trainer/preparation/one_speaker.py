"""Whether a dataset is of one speaker: utterances are told apart by the cosine of their GE2E vectors.

Two means are fitted to the vectors; where they are too far apart to be one person, the smaller group is another voice. It is set aside and the
rest is looked at again, so that several guests in one recording are all named.

The thresholds are fields of PrepareSettings, here is what they were set on: one reader of 34 utterances and 251 speakers of one to five each, cut as
`prepare` cuts. `same_speaker_cosine`: halves of one speaker lie at 0.816 and above (80 speakers with at least `min_speaker_s` in the smaller
group; the reader, whole and in 300 random parts: 0.828 and above). Of the reader mixed with each of the 251, at shares of 5, 10, 20, 30 and 50 %,
all but one mix lie below 0.75 (the median at 0.58); of 3,000 pairs of the 251, 99 % lie below 0.777. The same reader through a telephone's band lies
at 0.81; only noise 12 dB below the speech (0.72) or the echo of a hall (0.68) in half of the recording look like somebody else: hence a warning,
which names that too. `other_speaker_cosine`: nothing but another voice lay below it; from `other_speaker_share` of the speech on such a recording is
refused, because a voice learnt from two people is nobody's. Three quarters of the reader's mixes at 40 and 50 % are refused so; the others are
warned of. `min_speaker_s`: single utterances of 2 s lie as low as 0.51 from their own speaker's others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.audio import features
from trainer.dataset import loading
from trainer.dataset.manifest import Entry
from trainer.errors import DataError
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.preparation.prepare_settings import PrepareSettings

_ROUNDS = 20
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherVoices:
    """Utterances that do not sound like the one who speaks most: their indices, their share of the seconds, and how far the farthest lie."""

    indices: tuple[int, ...]
    share: float
    cosine: float
    """Of the most distant group's mean to the main one's."""


def find(vectors: np.ndarray, seconds: Sequence[float], settings: PrepareSettings) -> OtherVoices | None:
    """Who else speaks in utterances with vectors (n, d) of length 1 that last so many seconds; None where it sounds like one speaker.

    Pure and deterministic: no order of the utterances changes who is found.
    """
    # They are looked at in an order of their content: what is equally likely, and how sums are rounded, must not depend on theirs.
    lengths, found = np.asarray(seconds, dtype=np.float64), np.asarray(vectors, dtype=np.float64)
    own, others, cosine = np.lexsort((*found.T[::-1], lengths)), [], 1.0
    while (smaller := _smaller_group(found[own], lengths[own], settings)) is not None:
        group, near = smaller
        others.extend(own[group].tolist())
        own, cosine = own[~group], min(cosine, near)
    if not others:
        return None
    return OtherVoices(
        indices=tuple(sorted(others)), share=math.fsum(lengths[others]) / math.fsum(lengths), cosine=cosine
    )


def check(directory: Path, entries: Sequence[Entry], settings: PrepareSettings) -> list[str]:
    """Warnings about entries (their paths are relative to `directory`) in which somebody else seems to speak.

    Raises DataError(two_speakers) where that is certain and much of the speech, and what `dataset.read` and `SpeakerEncoder` raise.
    """
    encoder = SpeakerEncoder()
    vectors = [encoder.embed(loading.read(directory, entry), features.SAMPLE_RATE) for entry in entries]
    found = find(np.stack(vectors), [entry.duration_s for entry in entries], settings) if entries else None
    if found is None:
        return []
    named = [f"{entries[index].id} at {entries[index].start_s:.1f} s" for index in found.indices[:_MOST_NAMED]]
    rest = len(found.indices) - len(named)
    which = (
        f"{len(found.indices)} of {len(entries)} utterances, {found.share:.0%} of the speech, sound like another speaker "
        f"(cosine {found.cosine:.2f}): {', '.join(named)}{f' and {rest} more' if rest else ''}"
    )
    if found.cosine < settings.other_speaker_cosine and found.share >= settings.other_speaker_share:
        raise DataError(
            f"{which}; split the recording, or drop one speaker's utterances by empty corrections", cause="two_speakers"
        )
    return [
        f"{which}; if they do, and are not one speaker in much noise or echo, drop them by empty corrections or split the recording"
    ]


def _smaller_group(
    vectors: np.ndarray, seconds: np.ndarray, settings: PrepareSettings
) -> tuple[np.ndarray, float] | None:
    """(which of the vectors, cosine to the others' mean) where two means are two speakers; else None."""
    if len(vectors) < 2:
        return None
    whole = _mean(vectors, seconds)
    odd = vectors[_along(vectors, whole).argmin()]
    means = np.stack([vectors[_along(vectors, odd).argmin()], odd])
    label = np.full(len(vectors), -1)
    for _ in range(_ROUNDS):
        before, label = label, np.stack([_along(vectors, mean) for mean in means]).argmax(axis=0)
        if label.min() == label.max():
            return None
        if (label == before).all():
            break
        means = np.stack([_mean(vectors[label == one], seconds[label == one]) for one in (0, 1)])
    cosine = float(means[0] @ means[1])
    smaller = label == int(seconds[label == 1].sum() < seconds[label == 0].sum())
    other = cosine < settings.same_speaker_cosine and seconds[smaller].sum() >= settings.min_speaker_s
    return (smaller, cosine) if other else None


def _along(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """(n,) products with `direction`: equal vectors have equal ones wherever they stand, which a matrix product does not promise."""
    return (vectors * direction).sum(axis=1)


def _mean(vectors: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """(d,) of length 1; long utterances count for more, because they say more of who speaks."""
    mean = seconds @ vectors
    return mean / np.linalg.norm(mean)
