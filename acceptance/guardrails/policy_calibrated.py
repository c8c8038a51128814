"""Known failure: a threshold that nobody calibrated. Every number of the policy says where it comes from, in a comment or as provenance.

A provenance counts for what can be recomputed from it, by the formulas of `voice calibrate`; a number that it does not give is found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from acceptance.guardrails.finding import Finding
from acceptance.policy import Policy, implied, loading

_COMMENT = re.compile(r"\s*#")
_REPAIR = (
    "calibrate again (voice calibrate), or take the provenance away and say in a comment where the number comes from"
)


def findings(policy: Policy, path: Path) -> list[Finding]:
    """Each number in the file is what its section's provenance gives, or has a comment on its line, right above it or above its group.

    Where a section can say its provenance, a comment above the whole section is not enough.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found: list[Finding] = []
    given_by_provenance: dict[str, float] = {}
    incomplete: set[str] = set()  # sections, named once
    values = policy.values()
    provenances = {
        key.partition(".")[0]: value for key, value in values.items() if key.endswith(".provenance") and value
    }
    for section, provenance in provenances.items():
        try:
            given_by_provenance |= _given(section, provenance)
        except implied.Incomplete as reason:
            key = f"{section}.provenance"
            problem = f"{key} does not hold what its numbers would come from: {reason}; {_REPAIR}"
            found.append(Finding(policy.origin(key), problem))
            incomplete.add(section)
    for key, value in values.items():
        source, _, number = policy.origin(key).rpartition(":")
        is_number = isinstance(value, int | float | Mapping) and not isinstance(value, bool)
        if (
            source != loading.shown_name(path)
            or not is_number
            or key.endswith("provenance")
            or key.partition(".")[0] in incomplete
        ):
            continue
        where = f"{source}:{number}"
        if key in given_by_provenance:
            if value != given_by_provenance[key]:
                found.append(
                    Finding(where, f"{key} = {value}, but its provenance gives {given_by_provenance[key]:g}; {_REPAIR}")
                )
        elif not _explained(lines, int(number) - 1, whole_section=f"{key.partition('.')[0]}.provenance" not in values):
            found.append(Finding(where, f"{key} = {value} has neither a comment nor a provenance that gives it"))
    return found


def _given(section: str, provenance: implied.Provenance) -> dict[str, float]:
    """What the provenance gives, by the policy's keys; raises implied.Incomplete."""
    if section in implied.DECIMALS:
        given = implied.thresholds(section, provenance) or {}
        return {f"{section}.{name}": value for name, value in given.items()}
    if section == "production":
        return {f"{section}.{name}": value for name, value in (implied.per_clip(provenance) or {}).items()}
    difference = implied.least_difference(provenance)
    return {} if difference is None else {f"{section}.min_difference": difference}


def _explained(lines: list[str], index: int, *, whole_section: bool) -> bool:
    """Whether the line, or one of the keys that it stands under, carries a comment or has one right above."""
    indent = len(lines[index]) - len(lines[index].lstrip())
    if not indent and not whole_section:
        return False
    if " #" in lines[index] or (index and _COMMENT.match(lines[index - 1])):
        return True
    parents = (above for above in range(index - 1, -1, -1) if lines[above].strip() and not _COMMENT.match(lines[above]))
    parent = next((above for above in parents if len(lines[above]) - len(lines[above].lstrip()) < indent), None)
    return parent is not None and _explained(lines, parent, whole_section=whole_section)
