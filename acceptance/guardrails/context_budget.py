"""The project stays small enough to be read: lines per file by suffix, and in total."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from acceptance.guardrails.finding import Finding
from acceptance.guardrails.repository import Repository
from acceptance.policy import ContextBudgetPolicy


def findings(repository: Repository, budget: ContextBudgetPolicy) -> list[Finding]:
    """Files above their suffix's limit, and a sum above the total; only suffixes with a limit count, and nothing that is exempt."""
    found, total = [], 0
    for path, text in repository.texts():
        limit = budget.max_file_lines.get(PurePosixPath(path).suffix)
        if limit is None or any(fnmatchcase(path, pattern) for pattern in budget.exempt):
            continue
        lines = len(text.splitlines())
        total += lines
        if lines > limit:
            found.append(Finding(path, f"{lines} lines, the budget allows {limit}"))
    if total > budget.max_total_lines:
        found.append(Finding("all files together", f"{total} lines, the budget allows {budget.max_total_lines}"))
    return found
