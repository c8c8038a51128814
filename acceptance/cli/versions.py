"""`voice versions`, `voice keep`, `voice rollback` and `voice prune`: the certified voices that a workspace keeps."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from acceptance.cli.options import PATH, workspace_option
from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.cli.policy_option import policy_option
from acceptance.cli.workspace_lock import locked
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.voices import registry, restoring, store
from acceptance.voices.pruning import chosen, scores
from acceptance.voices.store import SHOWN, Version
from trainer.files.markdown import cell, table

_workspace = workspace_option("runs and voices")


@click.command()
@_workspace
@answers
@policy_option
def versions(policy: Callable[[], Policy], workspace: Path, as_json: bool) -> None:
    """List the certified voices that are kept.

    It says which one stands at its checkpoint path. A run that ends in success keeps its checkpoint as artifacts/voices/<sha256>.pt, with
    its report beside it. Nothing but voice prune removes one. Ends with 0, or with 1 if a version does not hold: it is named.

    \b
    voice versions
    voice versions --workspace ../other --json
    """
    known = store.listing(workspace)
    here = restoring.standing(workspace, known)
    scored = scores(workspace, policy())
    rows = [_row(workspace, version, here, scored) for version in known]
    notices = list(_notices(workspace, known, here))
    text = _table(rows) if rows else f"no voice is kept in {workspace / store.VOICES}; train one: pytest acceptance -q"
    emit({"schema": "versions/1", "versions": rows, "notices": notices}, "\n".join([text, *notices]), as_json=as_json)
    finish(NO if any(version.problem for version in known) else YES)


@click.command()
@click.argument("checkpoint", type=PATH)
@_workspace
@answers
def keep(checkpoint: Path, workspace: Path, as_json: bool) -> None:
    """Keep a checkpoint that a run certified.

    For one from before voices were kept, or from a time when the disk was full.

    \b
    voice keep checkpoints/tts_voice_train_musicgen_small.pt
    """
    with locked(workspace):
        kept = restoring.keep_standing(workspace, checkpoint)
    emit({"schema": "kept/1", "path": str(kept), "sha256": kept.stem}, f"kept: {kept}", as_json=as_json)


@click.command()
@click.argument("version")
@click.option("--name", metavar="NAME", help="Of the voice in voices/  [the version's objective].")
@click.option(
    "--consent", "given", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The speaker's consent  [where voice promote looks].",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a file that is kept nowhere, too.")
@_workspace
@answers
def rollback(
    version: str, name: str | None, given: Path | None, overwrite: bool, workspace: Path, as_json: bool
) -> None:
    """Put a kept voice back in its place.

    The place is the checkpoint path of its run; VERSION is the start of its hash. The voice that stands there is kept. Manifest and train
    status stay as they are: those of the newest run. A version that was promoted before is the one in use again, if the speaker's consent
    covers it today. Refused while a session works on the workspace.

    \b
    voice rollback 3598cec15fc5
    voice rollback 3598cec15fc5 --name dottie
    """
    from acceptance.voices import promoting

    with locked(workspace):
        found = store.find(workspace, version)
        known, name = name is not None, name or str(store.sound(found).report["objective"])
        in_use = registry.holds(workspace, name, found.sha256)
        if known and not in_use:
            raise HarnessError(
                f"{registry.folder(workspace, name)}: {found.short} was never promoted as {name}; "
                f"promote it: voice promote RUN --name {shlex.quote(name)}",
                cause="version_unknown",
            )
        if in_use:
            recording = str((found.report.get("recording") or {}).get("path") or "")
            promoting.require_consent(workspace, name, recording, given)
        path, before = restoring.put_back(workspace, found, overwrite=overwrite)
        if in_use:
            registry.put(workspace, name, registry.promoted(workspace, name, found.sha256), event=registry.ROLLED_BACK)
    was = (
        "nothing"
        if before is None
        else f"{before[:SHOWN]}, which is {'kept' if store.holds(workspace, before) else 'gone'}"
    )
    hear = f'voice say "Good morning." --checkpoint {shlex.quote(str(workspace / path))} -o hello.wav'
    text = f"{path} is {found.short} now (run {found.report['run_id']}); before: {was}\nhear it: {hear}"
    if in_use:
        text += f"\n{registry.folder(workspace, name) / 'current.json'}: it is the version in use"
    document = {"schema": "rollback/1", "path": path, "sha256": found.sha256, "before": before, "in_use": in_use}
    emit(document, text, as_json=as_json)


@click.command()
@click.argument("names", nargs=-1, metavar="[VERSION]...")
@click.option(
    "--keep", "least", type=click.IntRange(min=1), metavar="N", help="All but the newest N of each objective."
)
@click.option("--damaged", is_flag=True, help="Versions that do not hold.")
@click.option("--also-promotable", is_flag=True, help="Of those named: also what its scorecard lets be promoted.")
@click.option("--yes", is_flag=True, help="Remove them; without it they are only shown.")
@_workspace
@answers
@policy_option
def prune(
    policy: Callable[[], Policy], names: tuple[str, ...], least: int | None, damaged: bool, also_promotable: bool, yes: bool,
    workspace: Path, as_json: bool,
) -> None:  # fmt: skip
    """Remove kept voices, after showing them.

    Those that are named, or that a rule chooses; they are removed with --yes. Never removes a version in use or the voice that stands at its
    checkpoint path, and by a rule none that its newest scorecard lets be promoted.

    \b
    voice prune 3598cec15fc5 --yes
    voice prune --keep 5
    voice prune --damaged --yes
    """
    if not (names or least or damaged):
        raise click.UsageError("say what to remove: VERSION..., --keep N or --damaged")
    with locked(workspace):
        found, spared = chosen(
            workspace, names, least=least, damaged=damaged, also_promotable=also_promotable, policy=policy()
        )
        if yes:
            store.remove_unfinished(workspace)
            for version in found:
                store.remove(version)
    lines = [f"{'removed' if yes else 'would remove'} {version.short}  {_what(version)}" for version in found] or [
        "nothing to remove"
    ]
    lines += [f"stays {short}: {reason}" for short, reason in spared.items()]
    lines += [] if yes or not found else ["nothing is removed yet: give --yes"]
    document = {
        "schema": "prune/1",
        "removed": yes,
        "versions": [version.sha256 for version in found],
        "spared": spared,
    }
    emit(document, "\n".join(lines), as_json=as_json)


def _row(
    workspace: Path, version: Version, here: Mapping[str, str | None], scored: Mapping[str, Any]
) -> dict[str, Any]:
    report = version.report
    path = report.get("checkpoint", {}).get("path")
    return {
        "sha256": version.sha256,
        "path": str(version.path),
        "problem": version.problem,
        **{key: report.get(key) for key in ("run_id", "certified", "objective", "licence")},
        "recording": report.get("recording"),
        "losses": report.get("losses"),
        "checkpoint_path": path,
        "stands": path is not None and here.get(path) == version.sha256,
        "scorecard": scored.get(version.sha256),
        "in_use": _in_use(workspace, version),
    }


def _in_use(workspace: Path, version: Version) -> bool:
    """Whether it is the version that was promoted last, or put back."""
    name = version.report.get("objective")
    standing = registry.current(workspace, str(name)) if name else None
    return standing is not None and standing.checkpoint_sha256 == version.sha256


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    heading = ("version", "certified", "objective", "recording", "held-out loss", "better by", "scorecard", "state")
    return table(heading, [_cells(row) for row in rows], left=(0, 1, 2, 3, 6, 7))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    recording, losses, card = row["recording"] or {}, row["losses"] or {}, row["scorecard"]
    start, trained, better = (losses.get(key) for key in ("heldout_loss_start", "heldout_loss_trained", "improvement"))
    numbers = all(isinstance(value, int | float) for value in (start, trained, better))
    state = (
        f"damaged: {row['problem']}"
        if row["problem"]
        else ", ".join(
            [
                *(["in use"] if row["in_use"] else []),
                *([f"stands at {row['checkpoint_path']}"] if row["stands"] else []),
            ]
        )
    )
    return (
        row["sha256"][:SHOWN], str(row["certified"] or "-"), cell(str(row["objective"] or "-"), 24), cell(str(recording.get("path") or "-"), 40),
        f"{start:.3f} -> {trained:.3f}" if numbers else "-", f"{better:.1%}" if numbers else "-",
        f"{card['score']:.2f}, {card['grade']}{', may be promoted' if card['promotable'] else ''}" if card else "none", cell(state, 80),
    )  # fmt: skip


def _what(version: Version) -> str:
    report = version.report
    return version.problem or f"{report.get('objective')}, run {report.get('run_id')}"


def _notices(workspace: Path, known: Sequence[Version], here: Mapping[str, str | None]) -> Iterator[str]:
    for version in known:
        if version.problem is not None:
            yield f"{version.path}: {version.problem}; remove it: {store.command(workspace, f'voice prune {version.short} --yes')}"
    for path, sha256 in here.items():
        if sha256 is None:
            yield f"nothing stands at {path}; put a version there: {store.command(workspace, 'voice rollback VERSION')}"
        elif sha256 not in {version.sha256 for version in known if version.problem is None}:
            step = store.command(workspace, f"voice keep {shlex.quote(str(workspace / path))}")
            yield f"{path} ({sha256[:SHOWN]}) is no kept version; keep it if a run certified it: {step}"
