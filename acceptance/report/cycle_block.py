"""The report of a full cycle, printed after the objective's: what the voice is worth, what was decided about it, and what that cost.

Costs and the moment of a promotion belong to one run, so nothing of this stands in the objective's block, whose bytes repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any

from acceptance.failure import action_for
from acceptance.record.record import RunRecord
from acceptance.report.block import dumps, one_line
from acceptance.verdict import ObjectiveStatus
from trainer.files.atomic_file import write_atomically
from trainer.job.contract import INTERRUPTED

BEGIN, END = "=== CYCLE REPORT ===", "=== END CYCLE REPORT ==="
NAME = "cycle.json"
"""In the run's directory."""
_SCHEMA = "cycle/1"
PROMOTE, HOLD, NONE = "promote", "hold", "none"
IN_USE, CANNOT_TELL = "in use", "cannot tell"
"""Two of the answers behind a hold."""
_RUN = "pytest acceptance -q --full-cycle"
_MICRO = 1_000_000


def block(record: RunRecord) -> str:
    """One `key: value` per line between its markers, without a final newline; empty where no cycle was asked for."""
    if not record.is_cycle:
        return ""
    return "\n".join([BEGIN, *(f"{key}: {one_line(value)}" for key, value in values(record).items()), END])


def save(record: RunRecord, directory: Path) -> None:
    """Write `cycle.json` of a cycle, whole or not at all; raises TrainingError."""
    if record.is_cycle:
        found = {
            name: record.facts.get(name) for name in ("evaluation", "comparison", "production", "promotion", "cost")
        }
        document = {"schema": _SCHEMA, "run_id": record.run_id, "report": values(record), **found}
        write_atomically(directory / NAME, dumps(document).encode())


def values(record: RunRecord) -> dict[str, str]:
    """The values by key, in their order."""
    evaluation, promotion = _fact(record, "evaluation"), _fact(record, "promotion")
    counts, money, seconds = _fact(record, "production").get("counts"), *_cost(record)
    score = evaluation.get("score")
    return {
        "cycle_status": str(record.whole_verdict().status),
        "grade": str(evaluation.get("grade", "N/A")),
        "score": f"{score:.2f}" if isinstance(score, float | int) else "N/A",
        "recommendation": str(promotion.get("recommendation", NONE)),
        "reason": _reason(record, promotion),
        "promoted_version": str(promotion.get("in_use") or NONE) if promotion else "N/A",
        "previous_version": str(promotion.get("before") or NONE) if promotion else "N/A",
        "production": ", ".join(f"{name} {count}" for name, count in counts.items())
        if isinstance(counts, dict)
        else NONE,
        "cost_usd": money,
        "cost_seconds": seconds,
        "next_action": next_action(record),
    }


def next_action(record: RunRecord) -> str:
    """What to do next: the action of the cause, what a voice that is held asks for, or `none`."""
    verdict, fields = record.whole_verdict(), record.session.get("action_fields", {})
    promotion = _fact(record, "promotion")
    if verdict.failure is not None:
        certified = record.voice_verdict().status is ObjectiveStatus.SUCCESS
        if certified and verdict.failure.cause == INTERRUPTED:
            return f"Nothing failed, the session was interrupted; go on there: {fields.get('run', _RUN)} --resume"
        return action_for(verdict.failure.cause, fields)
    if verdict.status is not ObjectiveStatus.SUCCESS:
        return f"Not every step ran; run them all: {fields.get('run', _RUN)}"
    if promotion.get("recommendation") != HOLD or promotion.get("answer") == IN_USE:
        return NONE
    evaluation, workspace = _fact(record, "evaluation"), fields.get("workspace_option", "")
    run = evaluation.get("run_id")
    if promotion.get("consent"):
        return f"Ask the speaker, write the consent down, then promote it: voice promote {run}{workspace}"
    standing = _fact(record, "comparison").get("with_run")
    if standing:
        return f"The version in use stays; see where the two differ: voice compare {standing} {run}{workspace}"
    place = PurePath(str(fields.get("latest"))).with_name("runs") / str(evaluation.get("in_run"))
    return f"Nothing comes into use; see what the voice lacks: voice scorecard {place}/evaluation/evaluation.json{workspace}"


def _reason(record: RunRecord, promotion: Mapping[str, Any]) -> str:
    verdict = record.whole_verdict()
    if verdict.failure is not None:
        return f"{verdict.first_failed_step}: {verdict.failure.cause}: {verdict.failure.message}"
    answer = promotion.get("answer")
    said, consent = (found if isinstance(found := promotion.get(name), list) else [] for name in ("reasons", "consent"))
    marks = [str(reason) for reason in said if reason not in consent]
    if answer == IN_USE:
        marks.insert(0, f"{CANNOT_TELL}: it is in use already, this very checkpoint")
    elif answer == CANNOT_TELL:
        marks[:1] = [f"{CANNOT_TELL}: {reason}" for reason in marks[:1]]
    # The speaker's word first: without it no mark counts.
    return "; ".join([*map(str, consent), *marks]) or (
        NONE if not promotion else "the first version, and good enough by itself"
    )


def _cost(record: RunRecord) -> tuple[str, str]:
    """Money (with its currency where that is another than USD) and seconds; `off` with --no-cost, `not known` where no sum was written."""
    cost = _fact(record, "cost")
    micro, spent, currency = cost.get("micro"), cost.get("ms"), cost.get("currency")
    if not (isinstance(micro, int) and isinstance(spent, int)):
        why = "off" if record.session.get("no_cost") else "not known"
        return why, why
    amount = f"{Decimal(micro) / _MICRO:.4f}"
    return amount if currency == "USD" else f"{amount} {currency}", f"{spent / 1000:.1f}"


def _fact(record: RunRecord, name: str) -> Mapping[str, Any]:
    found = record.facts.get(name)
    return found if isinstance(found, Mapping) else {}
