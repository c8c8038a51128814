"""Which kept versions may go, and which stay whatever is asked."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.voices import registry, restoring, store
from acceptance.voices.store import Version


def scores(workspace: Path, policy: Policy) -> dict[str, dict[str, Any]]:
    """Checkpoint's SHA-256 -> what its newest scorecard in the history says: run_id, score, grade, promotable."""
    from acceptance.scorecards import objections, runs, scorecard

    found = {}
    for run in runs.load(workspace / runs.HISTORY).runs:
        if not run.checkpoint_sha256:
            continue
        score, grade, promotable = run.score, run.grade, False
        with contextlib.suppress(
            HarnessError
        ):  # the policy's metric is another than the record's: nothing can be said now
            card = scorecard.score(run.rows, run.similarity_metric, policy)
            score, grade, promotable = card.score, card.grade, not objections.refusals(card, run, policy)
        found[run.checkpoint_sha256] = {"run_id": run.run_id, "score": score, "grade": grade, "promotable": promotable}
    return found


def chosen(
    workspace: Path, names: Iterable[str], *, least: int | None, damaged: bool, also_promotable: bool, policy: Policy
) -> tuple[list[Version], dict[str, str]]:
    """The versions to remove, and why others of those asked for stay; raises HarnessError as `store.find`, and registry_invalid."""
    known = store.listing(workspace)
    by_name = [store.find(workspace, name).sha256 for name in names]
    by_rule = _older(known, least) | ({version.sha256 for version in known if version.problem} if damaged else set())
    here = set(restoring.standing(workspace, known).values())
    in_use = registry.all_in_use(workspace)
    scored = scores(workspace, policy)
    found, spared = [], {}
    for version in known:
        asked = version.sha256 in by_name
        if not asked and version.sha256 not in by_rule:
            continue
        card = scored.get(version.sha256)
        if version.sha256 in in_use:
            spared[version.short] = (
                f"it is the version in use of {in_use[version.sha256]}; put another into use first: "
                f"{store.command(workspace, f'voice promote RUN --name {shlex.quote(in_use[version.sha256])}')}"
            )
        elif version.problem is None and version.sha256 in here:
            spared[version.short] = (
                f"it stands at its checkpoint path; put another there first: {store.command(workspace, 'voice rollback VERSION')}"
            )
        elif version.problem is None and card and card["promotable"] and not (asked and also_promotable):
            spared[version.short] = (
                f"its scorecard {card['run_id']} lets it be promoted; remove it all the same: "
                f"{store.command(workspace, f'voice prune {version.short} --also-promotable --yes')}"
            )
        else:
            found.append(version)
    return found, spared


def _older(known: Sequence[Version], least: int | None) -> set[str]:
    """All but the newest `least` sound versions of each objective; none without a number."""
    if least is None:
        return set()
    groups: dict[Any, list[Version]] = {}
    for version in known:  # the oldest first
        if version.problem is None:
            groups.setdefault(_objective(version.report), []).append(version)
    return {version.sha256 for group in groups.values() for version in group[:-least]}


def _objective(report: Mapping[str, Any]) -> tuple[str, str]:
    return str(report.get("objective")), str(report["checkpoint"]["path"])
