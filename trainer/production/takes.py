"""The takes of a shard in their order, and the row of each: one canonical line of `takes.jsonl`, without time, host or process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from trainer.errors import DataError
from trainer.evaluation.evaluation import rounded
from trainer.evaluation.faults import Signal
from trainer.files import json_lines, typed_json
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, prompts
from trainer.production.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One text to be spoken once."""

    id: str
    text: str
    take: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeError:
    """Why a take could not be spoken or judged."""

    cause: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRow:
    """What became of a take. With an `error` nothing is measured: every number from `similarity` to `characters` and `signal` are None."""

    id: str
    take: int
    seed: int
    text: str
    file: str | None
    """The name below `clips`; None if nothing was spoken."""
    sha256: str | None
    seconds: float
    sample_rate: int
    similarity: float | None
    overall: float | None
    speech: float | None
    background: float | None
    p808: float | None
    word_edits: int | None
    words: int | None
    character_edits: int | None
    characters: int | None
    heard: str
    signal: Signal | None
    faults: tuple[str, ...]
    error: TakeError | None

    @property
    def wer(self) -> float | None:
        """Word errors of the recogniser for each word that was meant; None if the take was not judged."""
        return None if self.word_edits is None or not self.words else self.word_edits / self.words


def of_shard(batch: Path, plan: Plan, index: int) -> Iterator[Take]:
    """Every take of a shard in order: prompt by prompt. Raises DataError(plan_invalid). The memory does not grow with the prompts."""
    path = batch / layout.PROMPTS
    try:
        for prompt in prompts.part(path, plan.prompts_of(index)):
            for take in range(1, plan.takes + 1):
                yield Take(id=prompt.id, text=prompt.text, take=take, seed=plan.seed + take - 1)
    except (PlainFileError, ValueError) as error:
        raise DataError(f"{path}: {error}; make the batch again in an empty folder", cause="plan_invalid") from error


def dumps(row: TakeRow) -> bytes:
    """The line of a row."""
    return json_lines.line(rounded(asdict(row)))


def loads(line: bytes) -> TakeRow:
    """The row of a line; raises ValueError for anything but what `dumps` gives."""
    row: TakeRow = typed_json.build(TakeRow, json_lines.parsed(line))
    if dumps(row) != line:
        raise ValueError("not the canonical line of a take")
    measured = (
        row.similarity,
        row.overall,
        row.speech,
        row.background,
        row.p808,
        row.word_edits,
        row.words,
        row.signal,
    )
    if any(value is None for value in measured) != (row.error is not None) or any(
        value is None for value in measured
    ) != all(value is None for value in measured):
        raise ValueError("a take has all measures, or an error")
    for edits, meant in ((row.word_edits, row.words), (row.character_edits, row.characters)):
        if row.error is None and (edits is None or meant is None or edits < 0 or meant < 1):
            raise ValueError("a judged take has words, and no fewer than 0 errors in them")
    if (row.file is None) != (row.sha256 is None) or (row.file is None and row.error is None):
        raise ValueError("a take has a clip with its sha256, or an error")
    if row.file is not None and row.file != layout.clip_name(row.id, row.take):
        raise ValueError("the clip has another take's name")
    return row


def is_of(row: TakeRow, take: Take) -> bool:
    """Whether the row tells of this take."""
    return (row.id, row.take, row.seed, row.text) == (take.id, take.take, take.seed, take.text)
