"""Scorecards and comparisons as Markdown and as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from acceptance.policy import Policy
from acceptance.scorecards import objections, runs, scale
from acceptance.scorecards.comparison import Comparison, MetricComparison
from acceptance.scorecards.parts import PARTS
from acceptance.scorecards.runs import Run
from acceptance.scorecards.scorecard import MetricScore, Scorecard, Utterance
from trainer.evaluation.evaluation import rounded
from trainer.files.markdown import cell, listing, table

_SHOWN_SHA256 = 16


def run_document(run: Run, refusals: Sequence[str], notices: Sequence[str], policy: Policy) -> dict[str, Any]:
    """The record of a run, whether it may be promoted, on which scale, and what else should be known."""
    return {
        **runs.document(run),
        "promotable": not refusals,
        "refusals": list(refusals),
        "notices": list(notices),
        "scale": list(scale.sentences((name for name, _ in _in_order(run.metrics)), policy)),
        "not_judged": scale.NOT_JUDGED,
    }


def run_markdown(run: Run, refusals: Sequence[str], notices: Sequence[str], policy: Policy, *, worst: int) -> str:
    """A run by itself: its parts, where it came from, and its `worst` utterances."""
    parts = [
        (name, found.metric, f"{found.value:.3f}", f"{found.share:.3f}", f"{policy.scorecard.weight(name):.2f}",
         f"{100.0 * policy.scorecard.weight(name) * found.share:.2f}", found.verdict)
        for name, found in _in_order(run.metrics)
    ]  # fmt: skip
    rows = sorted(run.rows, key=lambda row: (row.score, row.id))
    sections = [
        f"# Scorecard of {run.run_id}: {run.score:.2f}, grade {run.grade}",
        table(("part", "metric", "value", "share", "weight", "points", "verdict"), parts, left=(0, 1, 6)),
        f"May be promoted: {'no: ' + ', '.join(refusals) if refusals else 'yes, as far as it was measured'}.",
        f"Not judged: {scale.NOT_JUDGED}. Listen before you promote.",
        f"A production would reject {objections.rejected(run.rejected, len(run.rows), policy)}.",
        listing(_origin(run)),
        "## The scale",
        listing(scale.sentences((name for name, _ in _in_order(run.metrics)), policy)),
        f"## Utterances, the worst first ({min(worst, len(rows))} of {len(rows)})",
        _utterances(rows[:worst]),
        *_noticed(notices),
    ]
    return "\n\n".join(sections)


def comparison_document(comparison: Comparison, notices: Sequence[str]) -> dict[str, Any]:
    """The comparison without the utterances of the two runs; `notices` are about the history, and stand before its own."""
    return rounded(
        {
            "schema": "comparison/1",
            "a": _side(comparison.a, comparison.whole_a, comparison.score_a),
            "b": _side(comparison.b, comparison.whole_b, comparison.score_b),
            "score": asdict(comparison.score),
            "metrics": {name: asdict(found) for name, found in comparison.metrics.items()},
            "prompts": {"common": comparison.prompts, "only_a": comparison.only_a, "only_b": comparison.only_b},
            "recommendation": comparison.recommendation.value,
            "reasons": list(comparison.reasons),
            "notices": [*notices, *comparison.notices],
            "not_judged": scale.NOT_JUDGED,
        }
    )


def comparison_markdown(comparison: Comparison, policy: Policy) -> str:
    """Two runs side by side, and what to do."""
    interval = f"second - first ({policy.scorecard.confidence * 100:g} % interval)"
    heading = ("", "first", "second", interval, "points", "over prompts")
    score = comparison.score
    total = (
        "**score**", f"{comparison.score_a:.2f}", f"{comparison.score_b:.2f}", _interval(score.value, score.low, score.high, 2),
        f"{score.value:+.2f}", _better(score.sign),
    )  # fmt: skip
    rows = [total, *(_metric_row(name, found) for name, found in comparison.metrics.items())]
    sections = [
        f"# {comparison.recommendation.value}: second {comparison.b.run_id} against first {comparison.a.run_id}",
        listing(comparison.reasons),
        table(heading, rows, left=(0, 5)),
        f"Over {comparison.prompts} common prompts. Over all prompts the first has grade {comparison.whole_a.grade} "
        f"({comparison.whole_a.score:.2f}), and the second grade {comparison.whole_b.grade} ({comparison.whole_b.score:.2f}). `over prompts` knows "
        "nothing of the spread between repeated runs; the recommendation does.",
        f"Not judged: {scale.NOT_JUDGED}.",
    ]
    return "\n\n".join([*sections, *_noticed(comparison.notices)])


def _in_order(metrics: Mapping[str, MetricScore]) -> list[tuple[str, MetricScore]]:
    """The parts as a new scorecard has them; those of a record that was read again are sorted by name."""
    return [(name, metrics[name]) for name in PARTS if name in metrics]


def _noticed(notices: Sequence[str]) -> list[str]:
    return [f"notice: {notice}" for notice in notices]


def _side(run: Run, whole: Scorecard, common: float) -> dict[str, Any]:
    metrics: Mapping[str, MetricScore] = whole.metrics
    return {
        "run_id": run.run_id, "created": run.created, "checkpoint_sha256": run.checkpoint_sha256, "manifest_sha256": run.manifest_sha256,
        "speaking": run.speaking,
        "acceptance": asdict(run.acceptance), "evaluation_sha256": run.evaluation_sha256,
        "score": whole.score, "grade": whole.grade, "score_on_common": common,
        "metrics": {name: asdict(found) for name, found in metrics.items()}, "rejected": asdict(whole.rejected),
    }  # fmt: skip


def _metric_row(name: str, found: MetricComparison) -> tuple[str, ...]:
    difference = found.difference
    return (
        f"{name} ({found.a.metric})", f"{found.a.value:.3f} {found.a.verdict}", f"{found.b.value:.3f} {found.b.verdict}",
        _interval(difference.value, difference.low, difference.high, 3), f"{round(found.points.value, 2) + 0.0:+.2f}", _better(found.better),
    )  # fmt: skip


def _origin(run: Run) -> list[str]:
    dataset = f"{cell(run.manifest_path or '')} {_short(run.manifest_sha256)}" if run.manifest_sha256 else "unknown"
    how = f" ({run.checkpoint_origin})" if run.checkpoint_origin else ""
    found = [f"checkpoint: {_short(run.checkpoint_sha256)}{how}", f"dataset: {dataset}", f"made by: {_made(run)}",
             f"evaluation: {_short(run.evaluation_sha256)}", f"policy: {_short(run.policy_sha256)}"]  # fmt: skip
    if run.licence:
        found.append(f"licence: {cell(run.licence.name)}{'' if run.licence.promotable else ', not to be promoted'}")
    return [*found, *([f"note: {cell(run.note)}"] if run.note else [])]


def _made(run: Run) -> str:
    accepted = run.acceptance
    where = f" at {accepted.first_failed_step}" if accepted.first_failed_step else ""
    return (
        f"acceptance run {accepted.run_id}, {accepted.status}{where}"
        if accepted.run_id
        else "no acceptance run known here"
    )


def _utterances(rows: Sequence[Utterance]) -> str:
    lines = [
        (cell(row.file or row.id, 32), f"{row.score:.1f}", f"{row.measured.similarity:.3f}", f"{row.measured.overall:.2f}", _edits(row),
         ", ".join(row.faults) or "-", cell(row.prompt))
        for row in rows
    ]  # fmt: skip
    return table(("file", "score", "similarity", "OVRL", "word errors", "faults", "prompt"), lines, left=(0, 5, 6))


def _edits(row: Utterance) -> str:
    return "-" if row.measured.words is None else f"{row.measured.word_edits}/{row.measured.words}"


def _interval(value: float, low: float, high: float, decimals: int) -> str:
    value, low, high = (round(number, decimals) + 0.0 for number in (value, low, high))  # no -0.00
    return f"{value:+.{decimals}f} ({low:+.{decimals}f} to {high:+.{decimals}f})"


def _better(sign: int) -> str:
    return {1: "second better", -1: "first better", 0: "open"}[sign]


def _short(digest: str | None) -> str:
    return digest[:_SHOWN_SHA256] if digest else "unknown"
