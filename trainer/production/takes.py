"""The takes of a shard in their order, and the row of each: one canonical line of `takes.jsonl`, without time, host or process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from trainer.errors import DataError
from trainer.evaluation.evaluation import rounded
from trainer.evaluation.faults import Signal
from trainer.evaluation.measures import DIGEST, LONGEST_S, RATES, check_values, in_range
from trainer.files import json_lines, typed_json
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, prompts
from trainer.production.plan import Plan

MEASURED = (
    "similarity",
    "overall",
    "speech",
    "background",
    "p808",
    "word_edits",
    "words",
    "character_edits",
    "characters",
    "signal",
)
"""Fields of a row that are None if its take was not judged, and only then."""


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

    def check(self) -> None:
        """Raises ValueError naming what no take can have: every reader of rows asks for it."""
        check_values(self)
        measured = [getattr(self, name) for name in MEASURED]
        if (
            any(value is None for value in measured) != (self.error is not None)
            or len({value is None for value in measured}) != 1
        ):
            raise ValueError("a take has all measures, or an error")
        in_range("seconds", self.seconds, 0.0, math.inf if self.error else LONGEST_S)
        if self.sample_rate not in RATES and not (self.sample_rate == 0 and self.file is None):
            raise ValueError(f"sample_rate has no possible value ({self.sample_rate})")
        if (self.file is None) != (self.sha256 is None) or (self.file is None and self.error is None):
            raise ValueError("a take has a clip with its sha256, or an error")
        if self.sha256 is not None and not DIGEST.fullmatch(self.sha256):
            raise ValueError(f"{self.sha256[:80]!r} is not a sha256 in hex")
        if self.file is not None and self.file != layout.clip_name(self.id, self.take):
            raise ValueError("the clip has another take's name")


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
    row.check()
    return row


def is_of(row: TakeRow, take: Take) -> bool:
    """Whether the row tells of this take."""
    return (row.id, row.take, row.seed, row.text) == (take.id, take.take, take.seed, take.text)
