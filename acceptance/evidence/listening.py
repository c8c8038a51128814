"""What a person can listen to and look at after a run: clips that the job spoke on its way, and real held-out speech beside them.

The job offers its clips in `samples/samples.json` beside the train status; a trainer that offers none is as good. Host and job share no
trust: so many clips of such a size are copied into the run's directory, and the examining process must be able to decode each copy.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from acceptance.evidence.child import ExaminationError, Examiner
from acceptance.evidence.job import LISTENING
from acceptance.objective import Settings
from trainer.files import plain_file, sample_index
from trainer.files.plain_file import PlainFileError
from trainer.files.printable import printable
from trainer.files.sample_index import Sample, SampleIndex
from trainer.job.contract import TRAINING_LOG

MOST_SENTENCES = 3
MAX_CLIP_BYTES, MAX_LOG_BYTES = 4 * 2**20, 32 * 2**20
_SENTENCE_WIDTH = 300


@dataclass(slots=True, kw_only=True)
class Listening:
    """Facts for the run's page, and what could not be taken over, in sentences."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def clear(settings: Settings, workspace: Path) -> None:
    """Remove the index of an earlier run's clips, so that none of them is taken for this run's."""
    with contextlib.suppress(OSError):  # a folder that cannot be written is the write probe's to tell
        (_samples(settings, workspace) / sample_index.INDEX).unlink()


def collect(
    settings: Settings, workspace: Path, run_dir: Path, examiner: Examiner, *, began: float, manifest_sha256: str | None
) -> Listening:
    """Copy the clips and the table of losses of a job that ended, and have the copies decoded and drawn.

    `began` is when the session began, `manifest_sha256` what this run's manifest was found to be. Raises OSError for a run's directory
    that cannot be written.
    """
    found, target = Listening(), run_dir / LISTENING
    spoken = _spoken(settings, workspace, target, found)
    dataset = _dataset(examiner, manifest_sha256, found)
    # Real speech is there to compare with: alone it is worth neither its room nor the time to draw it.
    real = _real(settings, workspace, target, dataset) if spoken else []
    decoded = _decoded(examiner, found) if spoken else {}
    for name in sorted({one["file"] for one in (*spoken, *real)} - decoded.keys()):
        found.problems.append(
            f"{name} is no sound of at most two minutes that can be decoded, so the page does without it"
        )
        (target / name).unlink()
    if decoded:
        found.facts |= {
            "clips": [{**one, "seconds": decoded[one["file"]]} for one in spoken if one["file"] in decoded],
            "real": [{**one, "seconds": decoded[one["file"]]} for one in real if one["file"] in decoded],
        }
    if dataset:
        found.facts["dataset"] = {name: value for name, value in dataset.items() if name != "held_out"}
    if _copy_losses(settings, workspace, run_dir, began):
        found.facts["losses"] = TRAINING_LOG
    return found


def _samples(settings: Settings, workspace: Path) -> Path:
    return (workspace / settings.status).parent / sample_index.FOLDER


def _spoken(settings: Settings, workspace: Path, target: Path, found: Listening) -> list[dict[str, Any]]:
    """The clips that the index names: of three moments and three sentences at most, copied."""
    folder = _samples(settings, workspace)
    try:
        index = sample_index.parse(_read(folder / sample_index.INDEX, workspace, sample_index.MAX_BYTES))
    except PlainFileError as error:
        if error.cause not in ("missing", "no_directory"):
            found.problems.append(f"{sample_index.INDEX}: {error}; the page does without the job's clips")
        return []
    except ValueError as error:
        found.problems.append(f"{sample_index.INDEX}: {printable(str(error))}; the page does without the job's clips")
        return []
    found.facts |= {
        "steps_total": index.steps_total,
        "sentences": [printable(text, _SENTENCE_WIDTH) for text in index.sentences[:MOST_SENTENCES]],
    }
    rows = []
    for sample in _chosen(index):
        try:
            data = _read(folder / sample.file, workspace, MAX_CLIP_BYTES)
        except PlainFileError as error:
            found.problems.append(f"{sample.file}: {error}; the page does without it")
            continue
        rows.append({"step": sample.step, "sentence": sample.sentence, **_copied(target / sample.file, data)})
    return rows


def _chosen(index: SampleIndex) -> list[Sample]:
    """The clips of the first step, of the one nearest to the middle, and of the last."""
    steps = sorted({one.step for one in index.clips})
    if not steps:
        return []
    middle = min(steps, key=lambda step: abs(2 * step - index.steps_total))
    taken = {(one.step, one.sentence): one for one in index.clips if one.step in (steps[0], middle, steps[-1])}
    return [one for (_, sentence), one in sorted(taken.items()) if sentence <= MOST_SENTENCES]


def _dataset(examiner: Examiner, manifest_sha256: str | None, found: Listening) -> dict[str, Any]:
    """What the manifest says of the recording, if this run wrote it."""
    if manifest_sha256 is None:
        return {}
    try:
        dataset = examiner.ask("dataset")
    except ExaminationError as error:
        found.problems.append(f"the page does without the dataset: {error}")
        return {}
    return dataset if dataset["sha256"] == manifest_sha256 else {}


def _real(settings: Settings, workspace: Path, target: Path, dataset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Held-out clips of the recording, copied; one that is not what the manifest says is left out."""
    rows: list[dict[str, Any]] = []
    for path, sha256, text in dataset.get("held_out", ()):
        source = (workspace / settings.manifest).parent / path
        with contextlib.suppress(PlainFileError):
            data = _read(source, workspace, MAX_CLIP_BYTES)
            if hashlib.sha256(data).hexdigest() == sha256:
                name = f"real_{len(rows) + 1}{PurePosixPath(path).suffix.lower()}"
                rows.append({"text": text, **_copied(target / name, data)})
    return rows


def _decoded(examiner: Examiner, found: Listening) -> dict[str, float]:
    """Seconds by name of every copy that is a sound; its picture then lies beside it."""
    try:
        return examiner.ask("sounds")
    except ExaminationError as error:
        found.problems.append(f"the clips cannot be examined: {error}")
        return {}


def _copy_losses(settings: Settings, workspace: Path, run_dir: Path, began: float) -> bool:
    """Copy the table of losses, if this run's job wrote it."""
    source = (workspace / settings.status).parent / TRAINING_LOG
    try:
        if source.lstat().st_mtime < began:
            return False
        data = _read(source, workspace, MAX_LOG_BYTES)
    except OSError:
        return False
    (run_dir / TRAINING_LOG).write_bytes(data)
    return True


def _read(path: Path, workspace: Path, limit: int) -> bytes:
    """A file below the workspace, through no link; raises PlainFileError."""
    return plain_file.read(path, limit=limit, root=workspace)


def _copied(target: Path, data: bytes) -> dict[str, Any]:
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(data)
    return {"file": target.name, "sha256": hashlib.sha256(data).hexdigest()}
