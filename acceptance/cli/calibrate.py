"""`voice calibrate`: thresholds from evidence, with their provenance, into the policy file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from acceptance.cli.options import PATH
from acceptance.cli.output import answers, emit
from acceptance.cli.progress import shown
from acceptance.failure import HarnessError
from acceptance.policy import THRESHOLDS, Policy, loading
from trainer.files import input_file, output_file

_folder = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option(
    "--reference", type=_folder, metavar="DIR", help="Real clips of the target that no training heard, at least 20."
)
@click.option("--impostors", type=_folder, metavar="DIR", help="Clips of other people, at least 50.")
@click.option(
    "--texts",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="What the reference says: lines name|text.",
)
@click.option(
    "--clip-seconds", type=click.FloatRange(1.6, 60.0), metavar="S",
    help="Compare voices by the middle S seconds of each clip: give the length of what will be judged, short clips score lower by nature.",
)  # fmt: skip
@click.option(
    "--recogniser", type=click.Choice(["pocketsphinx", "whisper"]), help="What hears the words  [the policy's]."
)
@click.option("--without-texts", is_flag=True, help="Leave intelligibility as it is.")
@click.option(
    "--runs", type=PATH, multiple=True, metavar="EVAL.json",
    help="An evaluation of the same voice with another seed; at least three.",
)  # fmt: skip
@click.argument("more_runs", nargs=-1, type=PATH, metavar="[EVAL.json]...")
@click.option(
    "--recipe", "recipes", type=_folder, multiple=True, metavar="DIR",
    help="A folder of such evaluations, all of one recipe; give several, and their spreads are pooled.",
)  # fmt: skip
@click.option(
    "--production", type=_folder, metavar="BATCH",
    help="A batch of voice produce, at least 40 takes: with --reference it sets what is asked of one take.",
)  # fmt: skip
@click.option("--policy", "path", type=PATH, default=THRESHOLDS, metavar="FILE", help="The policy file to change.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that measure.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@answers
def calibrate(
    reference: Path | None,
    impostors: Path | None,
    texts: Path | None,
    clip_seconds: float | None,
    recogniser: str | None,
    without_texts: bool,
    runs: tuple[Path, ...],
    more_runs: tuple[Path, ...],
    recipes: tuple[Path, ...],
    production: Path | None,
    path: Path,
    processes: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Set thresholds from evidence.

    The file says where they come from. Similarity passes halfway between other people's clips (99th percentile) and real clips of the
    target among themselves (5th); realism likewise between the real clips and the same clips in noise; intelligibility as far as real
    speech does. A batch sets what a production asks of one take. Repeated runs set scorecard.min_difference.
    Evidence that is too thin, or that the measure does not separate, is refused.
    Without --texts the reference folder has its own (metadata.csv, or a .txt beside each clip).

    \b
    voice calibrate --reference held_out/ --impostors other_voices/ --dry-run
    voice calibrate --reference held_out/ --impostors other_voices/ --clip-seconds 4 --processes 4
    voice calibrate --runs seed_0.json seed_1.json seed_2.json
    voice calibrate --recipe 1_minute/ --recipe 5_minutes/
    voice calibrate --production batch/ --reference held_out/
    """
    groups = [_evaluations(folder) for folder in recipes] + ([[*runs, *more_runs]] if runs or more_runs else [])
    if impostors is not None and reference is None:
        raise click.UsageError("--impostors goes with --reference")
    if production is not None and (reference is None or without_texts):
        raise click.UsageError("--production goes with --reference and its texts")
    if (reference is None) != (impostors is None and production is None) or not (reference or groups):
        raise click.UsageError(
            "give --reference with --impostors or --production, or --runs or --recipe, or all of them"
        )
    for evaluation in (*runs, *more_runs):
        input_file.require(
            HarnessError, evaluation, cause="evaluation_invalid", next_step="give what voice evaluate --output wrote"
        )
    from acceptance.calibration import policy_file, proposal

    text = loading.read(path)  # what is wrong with it should not be said only after minutes
    policy = loading.apply(Policy(), policy_file.NEW_FILE if text is None else text, loading.shown_name(path))
    loading.check(policy)
    if not dry_run:
        output_file.check_writable(path.resolve())
    changes: dict[str, Any] = {}
    if reference is not None and impostors is not None:
        changes |= _measured(
            reference,
            impostors,
            texts,
            policy,
            clip_seconds=clip_seconds,
            recogniser=recogniser or policy.intelligibility.recogniser,
            with_words=not without_texts,
            processes=processes,
        )
    if reference is not None and production is not None:
        changes |= _of_takes(production, reference, texts, policy_file.checked(path, changes)[2], processes)
    if groups:
        changes |= proposal.from_runs(groups, policy_file.checked(path, changes)[2])
    before, after, found = policy_file.checked(path, changes)
    if not dry_run and after != before:
        policy_file.write(path, before, after)
    notices = _notices(policy, found, bool(groups))
    document = {
        "schema": "calibration/1",
        "changes": {key: {"before": policy.values()[key], "after": found.values()[key]} for key in changes},
        "policy_sha256": found.sha256,
        "written": not dry_run and after != before,
        "notices": notices,
    }
    difference = policy_file.difference(loading.shown_name(path), before, after) or "nothing changes\n"
    outcome = "not written (--dry-run)" if dry_run else f"policy {found.sha256}"
    emit(document, "\n".join([difference + outcome, *notices]), as_json=as_json)


def _evaluations(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.json"))
    if not found:
        raise HarnessError(
            f"{folder} has no EVAL.json; give a folder with what voice evaluate --output wrote",
            cause="evidence_too_thin",
        )
    return found


def _measured(
    reference: Path,
    impostors: Path,
    texts: Path | None,
    policy: Policy,
    *,
    clip_seconds: float | None,
    recogniser: str,
    with_words: bool,
    processes: int,
) -> dict[str, Any]:
    from acceptance.calibration import evidence, proposal

    real = evidence.clips(reference, texts, with_words=with_words)
    others = evidence.clips(impostors, None, with_words=False)
    with shown("calibrate") as on_total:
        found = evidence.measure(
            real,
            others,
            limits=policy.audio.signal_limits(),
            clip_seconds=clip_seconds,
            recogniser=recogniser,
            processes=processes,
            on_total=on_total,
        )
    return proposal.from_evidence(found, with_words=with_words)


def _of_takes(batch: Path, reference: Path, texts: Path | None, policy: Policy, processes: int) -> dict[str, Any]:
    from acceptance.calibration import evidence, takes

    real = evidence.clips(reference, texts, with_words=True)
    with shown("calibrate") as on_total:
        return takes.proposed(batch, real, policy.audio.signal_limits(), processes=processes, on_total=on_total)


def _notices(before: Policy, after: Policy, with_runs: bool) -> list[str]:
    moved = [
        key
        for key, value in after.values().items()
        if key.endswith((".floor", ".ceiling")) and value != before.values()[key]
    ]
    if with_runs or not moved:
        return []
    again = "measure repeated runs again (--runs or --recipe)"
    return [
        f"scorecard.min_difference is as it was, but shares are measured from another {', '.join(moved)} now: {again}"
    ]
