"""Scores of single clips, several processes at once, and their summary as one row of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.audio import features
from trainer.evaluation import intelligibility, realism, signal, similarity
from trainer.evaluation.estimate import Estimate, estimate
from trainer.evaluation.intelligibility import Errors
from trainer.evaluation.realism import Opinion
from trainer.evaluation.signal import Signal
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.preparation import parallel


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One wave to judge: (n,) float32. Without `text` its words are not judged, without `opinion` its realism is not."""

    name: str
    wave: np.ndarray
    sample_rate: int = features.SAMPLE_RATE
    text: str = ""
    opinion: bool = True
    source: str = ""
    """Name of the reference clip that it was made from; it is not compared with that one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipScore:
    """What was found in one clip."""

    clip: str
    source: str
    text: str
    vector: np.ndarray
    """Speaker vector (256,)."""
    signal: Signal
    heard: tuple[str, ...]
    errors: Errors | None
    opinion: Opinion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The summary of one voice. Rates are over all words together; None where it was not judged."""

    name: str
    clips: int
    seconds: float
    """Mean length of a clip."""
    similarity: Estimate | None
    word_errors: Estimate | None
    phone_errors: Estimate | None
    overall: Estimate | None
    speech: Estimate | None
    background: Estimate | None
    p808: Estimate | None
    faults: tuple[str, ...]
    """Faults of single clips, as `clip: fault`."""


def score(clip: Clip) -> ClipScore:
    """Judge one clip; raises DataError(no_usable_speech) for a silent one, RuntimeSetupError where a model is missing."""
    heard = intelligibility.recognise(clip.wave, clip.sample_rate) if clip.text else ()
    return ClipScore(
        clip=clip.name,
        source=clip.source,
        text=clip.text,
        vector=SpeakerEncoder().embed(clip.wave, clip.sample_rate),
        signal=signal.measure(clip.wave, clip.sample_rate),
        heard=heard,
        errors=intelligibility.compare(intelligibility.spoken_words(clip.text), heard) if clip.text else None,
        opinion=realism.opinion(clip.wave, clip.sample_rate) if clip.opinion else None,
    )


def score_all(
    clips: Sequence[Clip], *, processes: int = 1, on_progress: Callable[[], None] | None = None
) -> list[ClipScore]:
    """Scores in the order of `clips`; they do not depend on `processes`. Raises as `score`."""
    return parallel.each(score, clips, processes=processes, on_progress=on_progress, name=lambda clip: clip.name)


def summarise(name: str, scores: Sequence[ClipScore], references: dict[str, np.ndarray]) -> Row:
    """One row; `references` are speaker vectors (256,) of the wanted speaker's real clips by name, may be empty."""
    with_words = [one.errors for one in scores if one.errors]
    opinions = [one.opinion for one in scores if one.opinion]
    cosines = [mean for one in scores if (mean := _cosine(one, references)) is not None]
    return Row(
        name=name,
        clips=len(scores),
        seconds=float(np.mean([one.signal.seconds for one in scores])),
        similarity=estimate(cosines),
        word_errors=estimate([one.word_edits for one in with_words], [one.words for one in with_words]),
        phone_errors=estimate([one.phone_edits for one in with_words], [one.phones for one in with_words]),
        overall=estimate([one.overall for one in opinions]),
        speech=estimate([one.speech for one in opinions]),
        background=estimate([one.background for one in opinions]),
        p808=estimate([one.p808 for one in opinions]),
        faults=tuple(f"{one.clip}: {fault}" for one in scores for fault in one.signal.faults()),
    )


def models() -> dict[str, str]:
    """sha256 of everything that judges, as every report pins it."""
    from trainer.models import speaker_encoder

    return {
        "speaker_encoder": speaker_encoder.WEIGHTS_SHA256,
        "dnsmos_p835": realism.P835_SHA256,
        "dnsmos_p808": realism.P808_SHA256,
        "recogniser": intelligibility.MODEL_SHA256,
    }


def _cosine(one: ClipScore, references: dict[str, np.ndarray]) -> float | None:
    others = [vector for name, vector in references.items() if name != one.source]
    return similarity.mean_cosine(one.vector, np.stack(others)) if others else None
