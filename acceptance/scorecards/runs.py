"""Scored runs: what one line of `artifacts/eval_history.jsonl` says (`scorecard/3`), and the run that a name means."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import fmean

from acceptance.failure import HarnessError
from acceptance.record import ledger
from acceptance.scorecards.origin import Origin
from acceptance.scorecards.parts import PARTS
from acceptance.scorecards.scorecard import GRADES, VERDICTS, MetricScore, Rejected, Scorecard, Utterance
from trainer.evaluation.evaluation import ROUNDING, Evaluation, rounded
from trainer.evaluation.measures import in_range
from trainer.files import strict_json, typed_json

SCHEMA = "scorecard/3"
HISTORY = Path("artifacts/eval_history.jsonl")
"""In the workspace."""
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Origin):
    """One scored version of a voice, with its origin. The newest record of a run id stands for it."""

    created: str
    """UTC, as 2026-01-02T03:04:05Z."""
    note: str
    evaluation_sha256: str
    policy_sha256: str
    pins: Mapping[str, str]
    similarity_metric: str
    score: float
    grade: str
    metrics: Mapping[str, MetricScore]
    rejected: Rejected
    rows: tuple[Utterance, ...]
    speaking: Mapping[str, float] | None = None
    """The settings that the clips were spoken with, as in the evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """All runs of a history, oldest first, and the lines that do not hold."""

    path: Path
    runs: tuple[Run, ...]
    damage: tuple[ledger.Damage, ...] = ()

    def notices(self) -> tuple[str, ...]:
        """A sentence for every line that does not hold."""
        return tuple(
            f"{self.path}:{found.number} does not hold and is left out: {found.problem}" for found in self.damage
        )

    def newest(self) -> dict[str, Run]:
        """The newest record of each run id, in the order of their first ones."""
        return {run.run_id: run for run in self.runs}

    def find(self, name: str) -> Run:
        """The run with this id, or with the only id that contains it; raises HarnessError(history_empty | run_unknown | run_ambiguous)."""
        known = self.newest()
        if not known:
            why = f"has no line that holds, of {len(self.damage)}" if self.damage else "has no record"
            raise HarnessError(
                f"no run has been scored yet ({self.path} {why}); make one: voice evaluate --generated DIR --reference DIR "
                "--output evaluation.json, then voice scorecard evaluation.json", cause="history_empty",
            )  # fmt: skip
        matching = [name] if name in known else [run_id for run_id in known if name and name in run_id]
        if not matching:
            raise HarnessError(
                f"no run is called {name!r}; the newest are {', '.join(list(known)[-_SHOWN:])}", cause="run_unknown"
            )
        if len(matching) > 1:
            raise HarnessError(
                f"{name!r} may be any of {len(matching)} runs: {', '.join(matching)}; give more of the id",
                cause="run_ambiguous",
            )
        return known[matching[0]]


def scored(card: Scorecard, evaluation: Evaluation, digest: str, source: Origin, *, note: str = "") -> Run:
    """The run of an evaluation with this sha256, scored now."""
    known = {field.name: getattr(record, field.name) for record in (source, card) for field in fields(record)}
    return Run(
        **known,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        note=note,
        evaluation_sha256=digest,
        pins=evaluation.pins,
        similarity_metric=evaluation.similarity_metric,
        speaking=evaluation.speaking,
    )


def load(path: Path) -> Runs:
    """The runs of a history file, none where it does not exist; raises HarnessError(history_invalid) where it cannot be read at all."""
    contents = ledger.read(path)
    runs: list[Run] = []
    damage = list(contents.damage)
    for line in contents.lines:
        try:
            runs.append(parsed(line.value))
        except ValueError as error:
            damage.append(ledger.Damage(number=line.number, problem=str(error)))
    return Runs(path=path, runs=tuple(runs), damage=tuple(sorted(damage, key=lambda found: found.number)))


def append(path: Path, run: Run) -> Run:
    """Add a run to the history, unless the newest record of its id says the same; returns the record that stands for it.

    It is on the disk when this returns, and one of several writers of equal runs adds it. Raises as `log.append`.
    """
    found = ledger.append(path, document(run), known=lambda lines: _same(run, lines))
    return run if found is None else parsed(found.value)


def _same(run: Run, lines: Sequence[ledger.LedgerLine]) -> ledger.LedgerLine | None:
    """The line that stands for the run's id, if it differs in time and place only, and in no note that would be lost."""
    for line in reversed(lines):
        if line.value.get("run_id") != run.run_id:
            continue
        try:
            standing = parsed(line.value)
        except ValueError:
            continue
        same = replace(
            run, created=standing.created, manifest_path=standing.manifest_path, note=run.note or standing.note
        )
        return line if strict_json.canonical(document(same)) == strict_json.canonical(document(standing)) else None
    return None


def document(run: Run) -> dict[str, object]:
    """The run as JSON, numbers of six decimals."""
    return rounded({"schema": SCHEMA, **asdict(run)})


def parsed(value: Mapping[str, object]) -> Run:
    """The run of one line, checked, its parts in their usual order (a line has them by the alphabet); raises ValueError."""
    if value.get("schema") != SCHEMA:
        raise ValueError(
            f"its schema is {str(value.get('schema'))[:80]!r}, not {SCHEMA!r} (score its evaluation again: voice scorecard)"
        )
    run: Run = typed_json.build(Run, _completed({name: part for name, part in value.items() if name != "schema"}))
    if not run.run_id or not run.rows:
        raise ValueError("it has no run id or no rows")
    for row in run.rows:
        _check_row(row, run.metrics.keys())
    _check_whole(run)
    return replace(
        run, metrics={name: run.metrics[name] for name in (*PARTS, *sorted(run.metrics)) if name in run.metrics}
    )


def _completed(value: Mapping[str, object]) -> dict[str, object]:
    """A record of an earlier version with what only later ones have, as not known."""
    rows = value.get("rows")
    rows = [{"file": "", **row} if isinstance(row, dict) else row for row in rows] if isinstance(rows, list) else rows
    return {"speaking": None, **value, **({} if rows is None else {"rows": rows})}


def _check_row(row: Utterance, parts: Iterable[str]) -> None:
    try:
        row.measured.check()
        in_range("score", row.score, 0.0, 100.0)
        for share in row.parts.values():
            in_range("share", share, 0.0, 1.0)
        if set(row.parts) != set(parts):
            raise ValueError("it has other parts than its run")
    except ValueError as error:
        raise ValueError(f"row {row.id}: {error}") from error


def _check_whole(run: Run) -> None:
    """What follows from the rows whatever the policy was does follow from them."""
    expected = {"score": (run.score, fmean(row.score for row in run.rows))}
    expected |= {
        f"share of {name}": (found.share, fmean(row.parts[name] for row in run.rows))
        for name, found in run.metrics.items()
    }
    expected |= {
        "rejected.faulty": (run.rejected.faulty, sum(bool(row.faults) for row in run.rows)),
        "rejected.share": (run.rejected.share, run.rejected.utterances / len(run.rows)),
    }
    for name, (found, by_rows) in expected.items():
        if abs(found - by_rows) > ROUNDING:
            raise ValueError(f"{name} does not follow from its rows ({found:g}, not {by_rows:g})")
    in_range("rejected.below_grade", run.rejected.below_grade, 0, len(run.rows))
    least, most = max(run.rejected.faulty, run.rejected.below_grade), run.rejected.faulty + run.rejected.below_grade
    in_range("rejected.utterances", run.rejected.utterances, least, min(most, len(run.rows)))
    if run.grade not in GRADES or any(found.verdict not in VERDICTS for found in run.metrics.values()):
        raise ValueError("its grade or a verdict is none")
