"""A text of a whole recording matched to its cut utterances: each gets the stretch of the text that is spoken in it, or a reason why not.

Every utterance is recognised roughly; the recognised words, all together, are aligned with the text; where the recogniser left open on which
side of a cut a word is spoken, the aligner decides. What the aligner does not bear out is dropped: nothing is taken on trust.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from trainer.audio import features
from trainer.errors import DataError
from trainer.models.aligner import Aligner, AlignmentError, adapt
from trainer.models.aligner.align import confidence, place
from trainer.models.aligner.observations import normalisation, observe
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recognisers import Heard
from trainer.preparation.transcription import unspoken
from trainer.preparation.transcription.word_alignment import Pair, pairs
from trainer.text import Word, analyse, english_share

_ANCHORED = 0.25  # share of an utterance's recognised words found in the text in their order
_REACH = 4  # words by which a stretch may grow at each end
_FASTEST = 6.0  # words per second
_ADAPT_S = 240.0
_SHOWN = 60  # letters of words that are named in a warning

NOT_IN_TEXT = "what is said is not in the text"
NOT_SPOKEN = "the text has words that nobody says"
NOT_BORNE_OUT = "the sound does not bear out the text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The words of one utterance as they are spoken, with marks, and 0 to 1 how sure that is; without a transcript, the reason."""

    transcript: str
    confidence: float
    reason: str = ""
    unspoken: tuple[str, ...] = ()
    """Words in the midst of its text that the sound does not hold."""


@dataclass(slots=True, kw_only=True)
class _Utterance:
    """One utterance: its mel (MELS, frames), its observations, and the text's words [start, end) in it; start = end where there are none."""

    mel: torch.Tensor
    observed: np.ndarray
    start: int = 0
    end: int = 0
    confirmed: frozenset[int] = frozenset()
    """Words of the text that were recognised in it."""
    unspoken: tuple[str, ...] = ()
    """Words of its text that nobody says, in the midst of what is said."""


def require_english(text: str, settings: PrepareSettings) -> None:
    """Raises DataError(transcript_invalid) for a text that is not English."""
    share = english_share(text)
    if share < settings.min_english_share:
        raise DataError(
            f"only {share:.0%} of the transcript's words are English; give an English transcript of an English recording, or none",
            cause="transcript_invalid",
        )


def match_heard(
    text: str, waves: Sequence[np.ndarray], heard: Sequence[Heard], aligner: Aligner, settings: PrepareSettings
) -> list[Matched]:
    """One `Matched` for each wave (n,) float32 at 22.05 kHz, of which `heard` is what was recognised in it.

    Raises DataError(transcript_mismatch) for the text of another recording, TextError for one without words.
    """
    words = [word for sentence in analyse(text).sentences for word in sentence.words]
    utterances = [_observed(wave) for wave in waves]
    _assign(utterances, heard, words)
    for utterance in utterances:
        # Before the ends move: unspoken words in the midst would push spoken ones out there.
        _leave_out_unspoken(utterance, words, aligner, settings.min_unspoken_gain)
        _refine(utterance, words, aligner)
    _settle_overlaps(utterances, words, aligner)
    matched = _judged(utterances, words, aligner, settings.min_text_confidence)
    _require_match(matched, waves, settings.min_text_share)
    return matched


def warnings(matched: Sequence[Matched], waves: Sequence[np.ndarray], settings: PrepareSettings) -> list[str]:
    """What a person should know about a text that matched in part: where it does not, and what that may mean."""
    found = [_unspoken_warning(matched)] if any(one.unspoken for one in matched) else []
    seconds = [len(wave) / features.SAMPLE_RATE for wave in waves]
    total, fitting = sum(seconds), sum(length for one, length in zip(matched, seconds, strict=True) if one.transcript)
    if not matched or fitting >= settings.complete_text_share * total:
        return found
    last = max(index for index, one in enumerate(matched) if one.transcript)
    spoken_after = sum(seconds[last + 1 :])
    where = "it seems to end early" if spoken_after > 0.5 * (total - fitting) else "parts of it are missing or differ"
    return [
        *found,
        f"the transcript covers {fitting:.0f} of {total:.0f} s of the speech: {where}; the rest is not learnt from",
    ]


def _unspoken_warning(matched: Sequence[Matched]) -> str:
    """How many utterances have words in their text that nobody says, and the longest stretch of those."""
    longest = " ".join(max((one.unspoken for one in matched), key=len))
    shown = longest if len(longest) <= _SHOWN else longest[:_SHOWN] + "…"
    return f"{sum(bool(one.unspoken) for one in matched)} utterances are left out: their text has words that nobody says ({shown})"


def _observed(wave: np.ndarray) -> _Utterance:
    mel = features.mel_of(wave)
    return _Utterance(mel=mel, observed=observe(mel))


def _assign(utterances: Sequence[_Utterance], heard: Sequence[Heard], words: Sequence[Word]) -> None:
    """Give every utterance the stretch of the text between its first and its last aligned word; those without take what is between others."""
    spoken = [one.spoken for one in heard]
    owners = [index for index, said in enumerate(spoken) for _ in said]
    by_owner: dict[int, list[Pair]] = {}
    for pair in pairs([word for said in spoken for word in said], [word.text for word in words]):
        by_owner.setdefault(owners[pair.heard], []).append(pair)
    anchored = []
    for index, utterance in enumerate(utterances):
        own = by_owner.get(index, [])
        utterance.confirmed = frozenset(pair.written for pair in own if pair.equal)
        if sum(pair.equal for pair in own) >= max(1.0, _ANCHORED * len(spoken[index])):
            utterance.start, utterance.end = _dense(own)
            anchored.append(index)
    bounds = [(-1, 0, 0)] + [(index, utterances[index].start, utterances[index].end) for index in anchored]
    for (left, _, end), (right, start, _) in zip(bounds, [*bounds[1:], (len(utterances), len(words), 0)], strict=True):
        if right - left == 2 and end < start:  # exactly one utterance that was not understood between two that were
            utterances[left + 1].start, utterances[left + 1].end = end, start


def _dense(own: Sequence[Pair]) -> tuple[int, int]:
    """[first, last) of the written words, without stray pairs far away from the others."""
    middle = int(np.median([pair.written for pair in own if pair.equal]))
    reach = 2 * len(own) + _REACH
    near = [pair.written for pair in own if abs(pair.written - middle) <= reach]
    return min(near), max(near) + 1


def _refine(utterance: _Utterance, words: Sequence[Word], aligner: Aligner) -> None:
    """Move both ends by a few words to where the sound fits best."""
    if utterance.start == utterance.end or _too_many(utterance, utterance.end - utterance.start):
        return
    observed = normalisation([utterance.observed]).apply(utterance.observed)
    for _ in range(2):
        before = (utterance.start, utterance.end)
        ends = range(max(utterance.start + 1, utterance.end - _REACH), min(len(words), utterance.end + _REACH) + 1)
        utterance.end = max(ends, key=lambda end: _total(observed, words[utterance.start : end], aligner))
        starts = range(max(0, utterance.start - _REACH), min(utterance.end - 1, utterance.start + _REACH) + 1)
        utterance.start = max(starts, key=lambda start: _total(observed, words[start : utterance.end], aligner))
        if (utterance.start, utterance.end) == before:
            return


def _settle_overlaps(utterances: Sequence[_Utterance], words: Sequence[Word], aligner: Aligner) -> None:
    """No word is spoken twice: where two neighbours claim the same words, the cut goes where both fit best together."""
    claiming = [utterance for utterance in utterances if utterance.start < utterance.end]
    for left, right in pairwise(claiming):
        if left.end <= right.start:
            continue
        first, second = (normalisation([each.observed]).apply(each.observed) for each in (left, right))
        cuts = range(max(left.start, min(right.start, left.end - 2 * _REACH)), min(right.end, left.end) + 1)
        best = max(
            cuts,
            key=lambda cut: (
                _total(first, words[left.start : cut], aligner) + _total(second, words[cut : right.end], aligner)
            ),
        )
        left.end = right.start = best


def _leave_out_unspoken(utterance: _Utterance, words: Sequence[Word], aligner: Aligner, least: float) -> None:
    """Cut off words at the ends of the stretch that nobody says, and name those in its midst (`trainer.preparation.transcription.unspoken`)."""
    stretch = range(utterance.start, utterance.end)
    runs = unspoken.unheard_runs(stretch, utterance.confirmed, words)
    if not runs:
        return
    observed = normalisation([utterance.observed]).apply(utterance.observed)
    for run in unspoken.runs_left_out(
        stretch, runs, lambda said: _total(observed, [words[index] for index in said], aligner), least
    ):
        if run.start - utterance.start < _REACH:  # the ends find the few words before it that are spoken after all
            utterance.start = run.stop
        elif utterance.end - run.stop < _REACH:
            utterance.end = run.start
        else:
            utterance.unspoken += tuple(words[index].text for index in run)


def _total(observed: np.ndarray, words: Sequence[Word], aligner: Aligner) -> float:
    """Log-likelihood of the words against any phones, summed over the utterance; -inf where they cannot fit."""
    try:
        return place(observed, words, aligner).total
    except AlignmentError:
        return -math.inf


def _judged(utterances: Sequence[_Utterance], words: Sequence[Word], aligner: Aligner, least: float) -> list[Matched]:
    """Confidence of every stretch, by the aligner adapted to this voice on the stretches that it believes already."""
    said = [
        (utterance.mel, words[utterance.start : utterance.end])
        for utterance in utterances
        if utterance.start < utterance.end
    ]
    adapted = adapt(_about(said), aligner, rounds=2)
    return [_judge(utterance, words[utterance.start : utterance.end], adapted, least) for utterance in utterances]


def _about(said: Sequence[tuple[torch.Tensor, Sequence[Word]]]) -> list[tuple[torch.Tensor, Sequence[Word]]]:
    """Evenly spread utterances of about _ADAPT_S seconds in all."""
    seconds = sum(mel.shape[1] for mel, _ in said) * features.HOP / features.SAMPLE_RATE
    step = max(1, math.ceil(seconds / _ADAPT_S))
    return list(said[::step])


def _judge(utterance: _Utterance, words: Sequence[Word], aligner: Aligner, least: float) -> Matched:
    if utterance.unspoken:
        return Matched(transcript="", confidence=0.0, reason=NOT_SPOKEN, unspoken=utterance.unspoken)
    if not words or _too_many(utterance, len(words)):
        return Matched(transcript="", confidence=0.0, reason=NOT_IN_TEXT)
    statistics = aligner.normalisation or normalisation([utterance.observed])
    try:
        sure = confidence(place(statistics.apply(utterance.observed), words, aligner).score)
    except AlignmentError:
        sure = 0.0
    if sure < least:
        return Matched(transcript="", confidence=sure, reason=NOT_BORNE_OUT)
    return Matched(transcript=written(words), confidence=sure)


def _too_many(utterance: _Utterance, count: int) -> bool:
    return count > 2 + _FASTEST * len(utterance.observed) * features.HOP / features.SAMPLE_RATE


def written(words: Sequence[Word]) -> str:
    """Words and their marks as a line of text; the last one ends a sentence if no mark follows it."""
    closed = [*words[:-1], replace(words[-1], mark=words[-1].mark or ".")]
    return " ".join(word.text + word.mark for word in closed)


def _require_match(matched: Sequence[Matched], waves: Sequence[np.ndarray], least: float) -> None:
    total = sum(len(wave) for wave in waves)
    fitting = sum(len(wave) for one, wave in zip(matched, waves, strict=True) if one.transcript)
    if fitting < least * total:
        raise DataError(
            f"the transcript fits {fitting / max(1, total):.0%} of the speech: it seems to be of another recording; "
            "give the right one, or remove it and let the speech be recognised",
            cause="transcript_mismatch",
        )
