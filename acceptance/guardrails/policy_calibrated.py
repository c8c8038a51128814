"""Known failure: a threshold that nobody calibrated. Every number of the policy says where it comes from, in a comment or as provenance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from acceptance.guardrails.finding import Finding
from acceptance.policy import Policy

_COMMENT = re.compile(r"\s*#")


def findings(policy: Policy, path: Path) -> list[Finding]:
    """Each number in the file has a comment on its line, right above it or above its group, or its section has provenance.

    Where a section can say its provenance, a comment above the whole section is not enough.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    values = policy.values()
    found = []
    for key, value in values.items():
        source, _, number = policy.origin(key).rpartition(":")
        if source != path.name or isinstance(value, bool) or not isinstance(value, int | float | Mapping) or key.endswith("provenance"):
            continue
        provenance = values.get(f"{key.partition('.')[0]}.provenance")
        if not provenance and not _explained(lines, int(number) - 1, whole_section=provenance is None):
            found.append(Finding(where=f"{path.name}:{number}", problem=f"{key} = {value} has neither a comment nor provenance"))
    return found


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
