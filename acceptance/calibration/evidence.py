"""What is measured for a calibration: real clips of the target, the same clips in noise, and clips of other people."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from acceptance.failure import HarnessError
from trainer.evaluation import evaluate, judging, prompts, similarity
from trainer.evaluation.evaluate import OnTotal
from trainer.evaluation.evaluation import Clips, EvaluatedClip, fingerprint
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.judging import Sound, Task, UnusableClipError
from trainer.evaluation.prompts import Item
from trainer.preparation.recognisers import RecogniserChoice

LEAST_REFERENCE = 20
LEAST_IMPOSTORS = 50
NOISE_DB = 5.0
"""Signal-to-noise ratio of the damaged clips: speech that is heard but that nobody would call good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationEvidence:
    """Measurements, by clip."""

    pins: Mapping[str, str]
    recogniser: str
    """What heard the words, by name."""
    similarity_metric: str
    reference: Clips
    impostors: Clips
    clip_seconds: float | None
    """Length of what was compared with the real clips; None for whole clips."""
    real_similarity: tuple[float, ...]
    """Of each real clip with the other real ones."""
    impostor_similarity: tuple[float, ...]
    """Of each clip of another person with the real ones."""
    real: tuple[EvaluatedClip, ...]
    damaged: tuple[EvaluatedClip, ...]
    """The same clips with white noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One file, the hash of its bytes, and what is cut from it to be compared with others."""

    item: Item
    sha256: str
    excerpt: Item


def clips(folder: Path, texts: Path | None, *, with_words: bool) -> list[Item]:
    """The clips of a folder, with what is said in them where words are to be judged; raises HarnessError."""
    return prompts.with_texts(folder, texts, None) if with_words else prompts.without_texts(folder)


def measure(
    reference: Sequence[Item],
    impostors: Sequence[Item],
    *,
    limits: SignalLimits,
    clip_seconds: float | None = None,
    recogniser: str = "pocketsphinx",
    processes: int = 1,
    on_total: OnTotal | None = None,
) -> CalibrationEvidence:
    """Measure everything; `processes` do not change a number.

    Raises HarnessError: evidence_too_thin for few clips, evidence_overlaps for one audio twice, audio_undecodable, no_usable_speech, and as
    trainer.evaluation.evaluate.
    """
    require(len(reference), LEAST_REFERENCE, "real clips of the target")
    require(len(impostors), LEAST_IMPOSTORS, "clips of other people")
    with tempfile.TemporaryDirectory(prefix="calibration-") as directory:
        folder = Path(directory)
        real = [_source(item, folder / f"real_{index}.wav", clip_seconds) for index, item in enumerate(reference)]
        others = [_source(item, folder / f"other_{index}.wav", clip_seconds) for index, item in enumerate(impostors)]
        _require_distinct([*real, *others])
        damaged = [_in_noise(source.item, folder / f"noisy_{index}.wav") for index, source in enumerate(real)]
        choice = RecogniserChoice(name=recogniser)
        voice, whole = (
            partial(Task, limits=limits, encoder=None, recogniser=choice, only_voice=only_voice)
            for only_voice in (True, False)
        )
        found = evaluate.compare(
            [
                [voice(item=source.excerpt) for source in real],
                [voice(item=source.excerpt) for source in others],
                [whole(item=item) for item in reference],
                [whole(item=item) for item in damaged],
            ],
            {item.id: item.path for item in reference if item.path},
            limits=limits,
            recogniser=choice,
            processes=processes,
            on_total=on_total,
        )
    mine, theirs, clean, noisy = found.groups
    return CalibrationEvidence(
        pins=found.pins,
        recogniser=recogniser,
        similarity_metric=found.similarity_metric,
        reference=fingerprint({source.item.id: source.sha256 for source in real}),
        impostors=fingerprint({source.item.id: source.sha256 for source in others}),
        clip_seconds=clip_seconds,
        real_similarity=_similarities(mine),
        impostor_similarity=_similarities(theirs),
        real=clean,
        damaged=noisy,
    )


def _source(item: Item, path: Path, seconds: float | None) -> _Source:
    """A file, and the middle `seconds` of it as a clip of its own at `path`; a shorter one stays whole."""
    sound = _read(item)
    part = sound.mono if seconds is None else sound.middle(seconds)
    if len(part) == len(sound.mono):
        return _Source(item=item, sha256=sound.sha256, excerpt=item)
    excerpt = replace(_write(item.id, path, part, sound.sample_rate), made_from=sound.sha256)
    return _Source(item=item, sha256=sound.sha256, excerpt=excerpt)


def _in_noise(item: Item, path: Path) -> Item:
    """The clip with white noise NOISE_DB below it, the same for the same clip; lowered where it would exceed full scale."""
    sound = _read(item)
    wave = sound.mono.astype(np.float64)
    noise = np.random.default_rng(int(sound.sha256[:16], 16)).standard_normal(len(wave))
    mixed = wave + noise * np.sqrt(np.square(wave).mean()) * 10.0 ** (-NOISE_DB / 20.0)
    mixed /= max(1.0, float(np.abs(mixed).max()))
    return _write(f"{item.id} in noise", path, mixed, sound.sample_rate, prompt=item.prompt)


def _write(name: str, path: Path, wave: np.ndarray, sample_rate: int, *, prompt: str = "") -> Item:
    soundfile.write(path, wave, sample_rate, subtype="PCM_24")  # a WAV of floats carries the time of day
    return Item(id=name, path=path, prompt=prompt)


def _read(item: Item) -> Sound:
    try:
        sound = judging.read(item.path)
    except UnusableClipError as error:
        raise _unusable(item, error.fault, "audio_undecodable") from error
    if not sound.mono.any():
        raise _unusable(item, "silent", "no_usable_speech")
    return sound


def _unusable(item: Item, why: str, cause: str) -> HarnessError:
    return HarnessError(f"{item.path}: {why}; remove the clip or replace it", cause=cause)


def _similarities(clips: Sequence[EvaluatedClip]) -> tuple[float, ...]:
    for one in clips:
        if one.similarity == similarity.WORST:  # no voice was heard: no two voices are at right angles
            raise HarnessError(
                f"{one.id}: {', '.join(one.faults) or 'no speech'}; remove the clip or replace it",
                cause="no_usable_speech",
            )
    return tuple(one.similarity for one in clips)


def require(count: int, least: int, what: str) -> None:
    """Raises HarnessError(evidence_too_thin) where there are fewer than `least`."""
    if count < least:
        raise HarnessError(
            f"{count} {what} are too few for their percentiles; give at least {least}", cause="evidence_too_thin"
        )


def _require_distinct(sources: Sequence[_Source]) -> None:
    """A copy would count as agreement."""
    seen: dict[str, Path | None] = {}
    for source in sources:
        if source.sha256 in seen:
            raise HarnessError(
                f"{source.item.path} is the same file as {seen[source.sha256]}; keep one of them",
                cause="evidence_overlaps",
            )
        seen[source.sha256] = source.item.path
