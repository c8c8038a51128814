"""A comparison as a page: two versions side by side, prompt by prompt, with players."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.pages import environment, plot, sound
from acceptance.pages.table import Column, Kind, Table
from acceptance.policy import Policy
from acceptance.scorecards import scale
from acceptance.scorecards.comparison import Comparison, Recommendation
from acceptance.scorecards.runs import Run
from acceptance.scorecards.scorecard import Scorecard, Utterance
from trainer.files.atomic_file import write_atomically

_WORDS = {
    Recommendation.PROMOTE: "Promote the second version",
    Recommendation.HOLD: "Hold the second version back",
    Recommendation.CANNOT_TELL: "Cannot tell which version is better",
}
_GOOD = {Recommendation.PROMOTE: True, Recommendation.HOLD: False, Recommendation.CANNOT_TELL: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFolders:
    """Where the evaluated clips of both versions lie."""

    first: Path
    second: Path


def write(comparison: Comparison, page: Path, policy: Policy, clips: ClipFolders | None = None) -> None:
    """Write the page; players need `clips`, whose addresses in the page are relative to it.

    Raises HarnessError(clips_missing) for a folder with none of its version's clips, TrainingError(disk_full | output_not_writable).
    """
    write_atomically(page, render(comparison, page, policy, clips).encode())


def render(comparison: Comparison, page: Path, policy: Policy, clips: ClipFolders | None = None) -> str:
    """The HTML of the page that will lie at `page`; raises HarnessError(clips_missing)."""
    first, second = comparison.a, comparison.b
    sources = (
        _sources(comparison.whole_a, first, clips.first if clips else None, page),
        _sources(comparison.whole_b, second, clips.second if clips else None, page),
    )
    table = _table(comparison, *sources)
    return environment.render(
        Path(__file__).with_name("compare_page.html"),
        headline=_WORDS[comparison.recommendation],
        good=_GOOD[comparison.recommendation],
        first=first.run_id,
        second=second.run_id,
        reasons=comparison.reasons,
        notices=comparison.notices,
        command=shlex.join(["voice", "compare", first.run_id, second.run_id]),
        parts=_parts(comparison),
        confidence=f"{policy.scorecard.confidence * 100:g} %",
        prompts=comparison.prompts,
        differences=plot.histogram(
            [row[3] for row in table.rows],
            title="Difference of the score, prompt by prompt",
            x="second - first, points",
        ),
        table=table,
        with_players=clips is not None,
        not_judged=scale.NOT_JUDGED,
        versions=[_version("First", first, comparison.whole_a), _version("Second", second, comparison.whole_b)],
    )


def _parts(comparison: Comparison) -> list[tuple[str, str, str, str, str]]:
    """Score and parts: name, first, second, difference with its interval, and what it adds in points."""
    score = comparison.score
    rows = [
        (
            "score",
            f"{comparison.score_a:.2f}",
            f"{comparison.score_b:.2f}",
            f"{score.value:+.2f} ({score.low:+.2f} to {score.high:+.2f})",
            f"{score.value:+.2f}",
        )
    ]
    for name, found in comparison.metrics.items():
        one = found.difference
        rows.append(
            (
                f"{name.replace('_', ' ')} ({found.a.metric})",
                f"{found.a.value:.3f}",
                f"{found.b.value:.3f}",
                f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})",
                f"{found.points.value:+.2f}",
            )
        )
    return rows


def _table(comparison: Comparison, first: Mapping[str, str], second: Mapping[str, str]) -> Table:
    """Every common prompt, where the second lost most first."""
    pairs = comparison.pairs
    rows = [
        [a.prompt, a.score, b.score, b.score - a.score, first.get(a.id), second.get(b.id), _faults(a), _faults(b)]
        for a, b in sorted(pairs, key=lambda pair: (pair[1].score - pair[0].score, pair[0].id))
    ]
    columns = [
        Column(title="prompt"),
        *(Column(title=title, kind=Kind.NUMBER, digits=1) for title in ("first", "second", "second - first")),
        *(Column(title=f"hear the {which}", kind=Kind.PLAYER) for which in ("first", "second")),
        *(Column(title=f"faults of the {which}") for which in ("first", "second")),
    ]
    shown = [
        number for number, _ in enumerate(columns) if number == 0 or any(row[number] not in ("", None) for row in rows)
    ]
    return Table(
        caption="Scores of every prompt that both versions spoke",
        columns=[columns[number] for number in shown],
        rows=[[row[number] for number in shown] for row in rows],
        sorted_by=3,
    )


def _faults(row: Utterance) -> str:
    return ", ".join(row.faults)


def _sources(card: Scorecard, run: Run, folder: Path | None, page: Path) -> dict[str, str]:
    """Source of the player of each clip that lies in the folder, by the clip's id."""
    if folder is None:
        return {}
    found = {
        row.id: folder / Path(row.file).name
        for row in card.rows
        if row.file and (folder / Path(row.file).name).is_file()
    }
    if not found:
        raise HarnessError(
            f"{folder} holds none of the {len(card.rows)} clips of {run.run_id}; give --clips the folder that was evaluated",
            cause="clips_missing",
        )
    return {name: sound.beside(path, page) for name, path in found.items()}


def _version(which: str, run: Run, card: Scorecard) -> tuple[str, list[tuple[str, str]]]:
    facts = [
        ("Run", run.run_id),
        ("Scored", run.created),
        ("Note", run.note or "–"),
        ("Over all its prompts", f"{card.score:.2f} points, grade {card.grade}"),
        ("Checkpoint SHA-256", run.checkpoint_sha256 or "–"),
        ("Manifest SHA-256", run.manifest_sha256 or "–"),
        ("Policy SHA-256", run.policy_sha256),
        *((f"Pin: {name}", pin) for name, pin in sorted(run.pins.items())),
    ]
    return which, facts
