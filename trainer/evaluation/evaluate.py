"""Measuring a folder of generated clips against real clips of the speaker: from files to an `Evaluation`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from trainer.audio import speech_detection
from trainer.dataset import manifest
from trainer.errors import DataError
from trainer.evaluation import (
    checkpoints,
    encoder_file,
    intelligibility,
    judging,
    normaliser,
    prompts,
    realism,
    similarity,
)
from trainer.evaluation.evaluation import CLAIMED, Clips, EvaluatedClip, Evaluation, fingerprint, summarise
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.judging import Judged, Task
from trainer.evaluation.prompts import Item, natural_order
from trainer.evaluation.similarity import Reference
from trainer.files import plain_file, strict_json
from trainer.preparation import parallel, recognisers
from trainer.preparation.recognisers import RecogniserChoice

MEASURES = "1"
"""Version of the measuring code, raised with every change that moves a number: rows of two versions are not comparable."""
OnTotal = Callable[[int], Callable[[], None]]
_NAMED = 5  # so many names stand in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a voice came from; only passed on."""

    checkpoint_sha256: str | None = None
    checkpoint_origin: str | None = None
    manifest_path: str | None = None
    manifest_sha256: str | None = None
    speaking: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to judge, against which real clips (paths by name)."""

    items: Sequence[Item]
    reference: Mapping[str, Path]
    limits: SignalLimits = field(default_factory=SignalLimits)
    encoder: Path | None = None
    """File of another speaker encoder; None for GE2E."""
    recogniser: RecogniserChoice = field(default_factory=RecogniserChoice)
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Groups of clips, each compared with the same real ones."""

    pins: Mapping[str, str]
    similarity_metric: str
    reference: Clips
    groups: tuple[tuple[EvaluatedClip, ...], ...]
    """In the order of the groups; in each the clips in the order of their ids."""


def evaluate(plan: Plan, *, processes: int = 1, on_total: OnTotal | None = None) -> Evaluation:
    """Judge every item; a clip's row does not depend on the other items, their order or `processes`. Raises as `compare`."""
    recogniser = plan.recogniser.settled()
    tasks = [Task(item=item, limits=plan.limits, encoder=plan.encoder, recogniser=recogniser) for item in plan.items]
    found = compare(
        [tasks],
        plan.reference,
        limits=plan.limits,
        encoder=plan.encoder,
        recogniser=recogniser,
        processes=processes,
        on_total=on_total,
    )
    (rows,) = found.groups
    return Evaluation(
        pins=found.pins,
        similarity_metric=found.similarity_metric,
        generated=fingerprint({row.id: row.audio_sha256 for row in rows}),
        reference=found.reference,
        checkpoint_sha256=plan.source.checkpoint_sha256,
        checkpoint_origin=plan.source.checkpoint_origin,
        manifest_path=plan.source.manifest_path,
        manifest_sha256=plan.source.manifest_sha256,
        rows=rows,
        summary=summarise(rows),
        speaking=plan.source.speaking,
    )


def compare(
    groups: Sequence[Sequence[Task]],
    reference: Mapping[str, Path],
    *,
    limits: SignalLimits,
    encoder: Path | None = None,
    recogniser: RecogniserChoice | None = None,
    processes: int = 1,
    on_total: OnTotal | None = None,
) -> Compared:
    """Judge groups of clips against real ones (paths by name), in one go.

    `on_total` gets the number of clips, reference and judged, and returns what is called after each.
    Raises DataError for a reference without speech (audio_undecodable, no_usable_speech) or with no clip but the judged one
    (reference_too_small), RuntimeSetupError where a model is missing.
    """
    for path in reference.values():
        judging.require_sound(path)
    model = encoder_file.load(encoder)
    recognisers.check(recogniser or RecogniserChoice())
    real = [
        Task(item=Item(id=name, path=path), limits=limits, encoder=encoder, only_voice=True)
        for name, path in sorted(reference.items())
    ]
    tasks = [*real, *(task for group in groups for task in group)]
    on_progress = on_total(len(tasks)) if on_total else None
    judged = iter(
        parallel.each(
            judging.judge, tasks, processes=processes, on_progress=on_progress, name=lambda task: task.item.id
        )
    )
    references = [similarity.reference(next(judged)) for _ in real]
    rows = [[evaluated(next(judged), references) for _ in group] for group in groups]
    clips = fingerprint({one.id: one.audio_sha256 for one in references})
    return Compared(
        pins={**pins(limits, recogniser), "speaker_encoder": model.sha256, "reference": clips.sha256},
        similarity_metric=model.metric,
        reference=clips,
        groups=tuple(tuple(sorted(group, key=lambda row: natural_order(row.id))) for group in rows),
    )


def evaluated(one: Judged, references: Sequence[Reference]) -> EvaluatedClip:
    """The row of one judged clip; raises DataError(reference_too_small) if no other real clip is there."""
    meant = intelligibility.spoken_words(one.item.prompt) if one.item.prompt else ()
    letters = intelligibility.character_edits(meant, one.heard) if meant else (None, None)
    return EvaluatedClip(
        id=one.item.id,
        file=one.item.path.name if one.item.path else "",
        prompt=one.item.prompt,
        audio_sha256=one.audio_sha256,
        seconds=one.signal.seconds,
        sample_rate=one.sample_rate,
        channels=one.channels,
        similarity=similarity.of(one, references),
        **asdict(one.opinion),
        word_edits=intelligibility.word_edits(meant, one.heard) if meant else None,
        words=len(meant) if meant else None,
        character_edits=letters[0],
        characters=letters[1],
        heard=" ".join(one.heard),
        signal=one.signal,
        faults=one.faults,
    )


def pins(limits: SignalLimits, recogniser: RecogniserChoice | None = None) -> dict[str, str]:
    """What every number depends on beside the clip, the encoder and the reference: versions and sha256 by name."""
    return {
        "measures": MEASURES,
        "dnsmos_p835": realism.P835_SHA256,
        "dnsmos_p808": realism.P808_SHA256,
        "speech_detector": speech_detection.weights_sha256(),
        "recogniser": recognisers.identity(recogniser or RecogniserChoice(), scores=True),
        "normaliser": normaliser.sha256(),
        "signal_limits": _limits_sha256(limits),
    }


def reference_folder(folder: Path) -> dict[str, Path]:
    """Real clips of a folder by name; raises DataError(audio_missing)."""
    return {item.id: item.path for item in prompts.without_texts(folder) if item.path}


def reference_of(path: Path, document: manifest.Manifest) -> dict[str, Path]:
    """The held-out clips of a manifest, their hashes verified; raises DataError(manifest_invalid)."""
    return {item.id: item.path for item in prompts.held_out(path, document) if item.path}


def require_untrained(reference: Mapping[str, Path], document: manifest.Manifest) -> None:
    """Raises DataError(reference_trained) where real clips (paths by name) are what the manifest lists for training."""
    trained = {entry.sha256: entry.id for entry in document.entries if entry.split == manifest.TRAIN}
    found = [name for name, path in reference.items() if content(path) in trained]
    if found:
        raise DataError(
            f"{len(found)} of {len(reference)} reference clips are training clips of the manifest ({', '.join(found[:_NAMED])}"
            f"{' …' if len(found) > _NAMED else ''}): being near to what was learnt by heart proves nothing; give clips that no training heard, or "
            "leave --reference out: the manifest's held-out clips are the reference then",
            cause="reference_trained",
        )


def source(checkpoint: Path | None, manifest_path: Path | None, manifest_sha256: str | None) -> Source:
    """Hashes of what is named; the manifest's path is kept relative to the current directory, or bare.

    Raises DataError: checkpoint_missing, checkpoint_invalid or checkpoint_unsafe, and artifact_mismatch for a voice of another dataset.
    """
    found = checkpoints.read(checkpoint.resolve()) if checkpoint else None
    if checkpoint and found:
        checkpoints.check_trained_on(checkpoint, found, manifest_sha256)
    return Source(
        checkpoint_sha256=found.sha256 if found else None,
        checkpoint_origin=CLAIMED if found else None,
        manifest_path=_relative(manifest_path) if manifest_path else None,
        manifest_sha256=manifest_sha256,
    )


def _limits_sha256(limits: SignalLimits) -> str:
    values = {name: float(value) for name, value in asdict(limits).items()}  # 1 and 1.0 are one limit
    return strict_json.digest(values)


def _relative(path: Path) -> str:
    relative = os.path.relpath(path)
    return path.name if relative.startswith("..") or Path(relative).is_absolute() else Path(relative).as_posix()


def content(path: Path) -> str | None:
    """sha256 of a clip; None for what is no plain file: judging says so later."""
    try:
        return plain_file.sha256(path)
    except plain_file.PlainFileError:
        return None
