"""What the pages of a finished batch show, read from its folder in one pass and in bounded memory."""

from __future__ import annotations

import math
import os
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.production import delivery, report
from acceptance.production.take_verdicts import TakeVerdict
from trainer.evaluation.measures import in_range
from trainer.files import json_lines, plain_file, strict_json, typed_json
from trainer.files.plain_file import PlainFileError
from trainer.production import layout
from trainer.production import plan as plans
from trainer.production.plan import Plan
from trainer.production.takes import TakeRow

APPROVED = TakeVerdict.APPROVED.value
FOLDERS = tuple(verdict.value for verdict in TakeVerdict)
"""A verdict is the name of the folder that the clip is in."""
CAUSE = "batch_unreadable"

MOST_LISTED = 20_000
"""Takes in the page's table: more make it slow. Those that are not approved come first."""
MOST_NAMED = 50
"""Prompts without an approved take, and prompts that were left out, that are named."""
_MAX_BYTES = 2**26
_AGAIN = "run voice produce with --resume, then try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedTake(TakeRow):
    """A line of `verdicts.jsonl`: a take, and what became of it."""

    verdict: str
    reasons: tuple[str, ...]
    score: float | None
    grade: str | None
    best: bool

    def check(self) -> None:
        """Raises ValueError naming what no sorted take can have."""
        TakeRow.check(self)
        in_range("score", self.score, 0.0, 100.0)
        if self.verdict not in FOLDERS:
            raise ValueError(f"the verdict {self.verdict!r} is none of {', '.join(FOLDERS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of what there are."""

    generated: int
    approved: int
    rejected: int
    quarantined: int
    left_out: int
    prompts: int
    prompts_approved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """What the pages show of `batch_report.json`."""

    counts: Counts
    means: Mapping[str, float] | None
    reasons: Mapping[str, int]
    best: tuple[SortedTake, ...]
    worst: tuple[SortedTake, ...]


@dataclass(slots=True)
class Scores:
    """One measure of every take that has it, by verdict; in the order of the takes."""

    values: array[float] = field(default_factory=lambda: array("d"))
    verdicts: array[int] = field(default_factory=lambda: array("b"))

    def of(self, verdict: str) -> list[float]:
        """The values of the takes with one verdict."""
        wanted = FOLDERS.index(verdict)
        return [value for value, one in zip(self.values, self.verdicts, strict=True) if one == wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContent:
    """A batch as its pages show it."""

    batch: Path
    plan: Plan
    summary: BatchSummary
    policy: Mapping[str, Any]
    """The section `production` as it was in force."""
    timing: Mapping[str, Any]
    """Empty if nobody measured."""
    cost: Mapping[str, Any] | None
    """None if it is not known."""
    takes: list[SortedTake]
    """Those that are listed, in the order of the batch."""
    scores: Mapping[str, Scores]
    """Of all takes; a take that was not judged has NaN in each."""
    unapproved: list[SortedTake]
    """Of each prompt without an approved take the one with the highest score, for the first of them."""
    left_out: list[Mapping[str, Any]]
    present: Mapping[str, set[str]]
    """The names of the clips in each folder."""
    missing: int
    """Clips that the verdicts name and that do not lie in their folders."""

    def has(self, one: SortedTake) -> bool:
        """Whether the clip of a take lies in its folder."""
        return one.file in self.present[one.verdict]


MEASURES = ("score", "similarity", "overall", "wer")
LIMITS = ("min_similarity", "min_realism", "max_wer")
"""Those of the policy that the plots show."""
_NAN = math.nan


def read(batch: Path, *, most: int = MOST_LISTED) -> BatchContent:
    """Everything that the pages of a batch show; raises HarnessError(batch_unreadable) naming the file and what is wrong with it."""
    plan = _plan(batch / layout.PLAN)
    found = _report(batch / report.NAME, plan)
    summary = _summary(batch / report.NAME, found)
    timing = _timing(batch / layout.TIMING)
    gathered = _Gathered(batch, most)
    for one in _takes(batch / delivery.VERDICTS):
        gathered.add(one)
    gathered.end()
    if (number := gathered.verdicts.total()) != summary.counts.generated:
        raise _unreadable(
            batch / delivery.VERDICTS, f"{number} takes, but the report counts {summary.counts.generated}"
        )
    return BatchContent(
        batch=batch,
        plan=plan,
        summary=summary,
        policy=found["policy"],
        timing=timing,
        cost=cost if isinstance(cost := timing.get("cost"), dict) else None,
        takes=gathered.listed(),
        scores=gathered.scores,
        unapproved=gathered.unapproved,
        left_out=_left_out(batch / layout.LEFT_OUT),
        present=gathered.present,
        missing=gathered.missing,
    )


class _Gathered:
    """What is kept of the takes as they pass."""

    def __init__(self, batch: Path, most: int) -> None:
        self.present = {name: _names(batch / name) for name in FOLDERS}
        self._most = most
        self._approved: list[tuple[int, SortedTake]] = []
        self._others: list[tuple[int, SortedTake]] = []
        self._prompt: list[SortedTake] = []
        self.scores = {name: Scores() for name in MEASURES}
        self.verdicts: Counter[str] = Counter()
        self.unapproved: list[SortedTake] = []
        self.missing = 0

    def add(self, one: SortedTake) -> None:
        """Count a take, and keep it if there is room."""
        number = self.verdicts.total()
        self.verdicts[one.verdict] += 1
        for name, scores in self.scores.items():
            value = None if one.error is not None else getattr(one, name)
            scores.values.append(_NAN if value is None else value)
            scores.verdicts.append(FOLDERS.index(one.verdict))
        kept = self._approved if one.verdict == APPROVED else self._others
        if len(kept) < self._most:
            kept.append((number, one))
        self.missing += one.file is not None and one.file not in self.present[one.verdict]
        if self._prompt and self._prompt[0].id != one.id:
            self.end()
        self._prompt.append(one)

    def end(self) -> None:
        """The takes of a prompt are complete."""
        if self._prompt and all(one.verdict != APPROVED for one in self._prompt) and len(self.unapproved) < MOST_NAMED:
            self.unapproved.append(max(self._prompt, key=lambda one: (one.score or 0.0, -one.take)))
        self._prompt = []

    def listed(self) -> list[SortedTake]:
        """The takes that are listed, in the order of the batch."""
        found = sorted([*self._others, *self._approved][: self._most], key=lambda each: each[0])
        return [one for _, one in found]


def _takes(path: Path) -> Iterator[SortedTake]:
    try:
        with plain_file.opened(path) as stream:
            for number, line in enumerate(json_lines.lines(stream), start=1):
                try:
                    one: SortedTake = typed_json.build(SortedTake, json_lines.parsed(line))
                    one.check()
                except ValueError as error:
                    raise _unreadable(path, f"line {number}: {error}") from error
                yield one
    except PlainFileError as error:
        raise _unreadable(path, str(error)) from error


def _plan(path: Path) -> Plan:
    try:
        return plans.loads(plain_file.read(path, limit=_MAX_BYTES))
    except (PlainFileError, ValueError) as error:
        raise _unreadable(path, str(error)) from error


def _report(path: Path, plan: Plan) -> dict[str, Any]:
    try:
        found = strict_json.loads(plain_file.read(path, limit=_MAX_BYTES))
    except (PlainFileError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(found, dict) or found.get("schema") != report.SCHEMA:
        raise _unreadable(path, f"schema is not {report.SCHEMA!r}")
    if not isinstance(found.get("plan"), dict) or found["plan"].get("plan_sha256") != plan.sha256:
        raise _unreadable(path, "a report of another plan")
    if not isinstance(found.get("policy"), dict):
        raise _unreadable(path, "it does not say under which policy it sorted")
    for name in LIMITS:
        if type(found["policy"].get(name)) not in (int, float):
            raise _unreadable(path, f"the policy's {name} is not a number")
    return found


def _summary(path: Path, found: Mapping[str, Any]) -> BatchSummary:
    try:
        names = [each.name for each in fields(BatchSummary)]
        summary: BatchSummary = typed_json.build(BatchSummary, {name: found[name] for name in names if name in found})
        for one in (*summary.best, *summary.worst):
            one.check()
    except ValueError as error:
        raise _unreadable(path, str(error)) from error
    return summary


def _timing(path: Path) -> dict[str, Any]:
    """What the batch has taken; nothing where that was not measured."""
    try:
        found = strict_json.loads(plain_file.read(path, limit=_MAX_BYTES))
    except PlainFileError as error:
        if error.cause == "missing":
            return {}
        raise _unreadable(path, str(error)) from error
    except ValueError as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(found, dict):
        raise _unreadable(path, "not a JSON object")
    return found


def _left_out(path: Path) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    try:
        with plain_file.opened(path) as stream:
            for line in json_lines.lines(stream):
                if len(found) == MOST_NAMED:
                    break
                one = json_lines.parsed(line)
                if not isinstance(one, dict):
                    raise ValueError(f"line {len(found) + 1} is not a JSON object")
                found.append(one)
    except (PlainFileError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    return found


def _names(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in os.scandir(folder)}
    except FileNotFoundError:
        return set()


def _unreadable(path: Path, problem: str) -> HarnessError:
    return HarnessError(f"{path}: {problem}; {_AGAIN}", cause=CAUSE)
