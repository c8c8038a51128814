"""Preflight: every tracked name can be checked out on Windows and macOS too."""

from __future__ import annotations

from collections import Counter

from acceptance.guardrails.finding import Finding
from acceptance.guardrails.repository import Repository
from trainer.files.portable_path import windows_allows

_LONGEST = 180
"""Characters: Windows' limit of 260 for the whole path, less room for where the checkout lies."""


def findings(repository: Repository) -> list[Finding]:
    """Names with characters or endings that Windows refuses, its device names, too long paths, and names that differ only in case."""
    twins = Counter(path.casefold() for path in repository.tracked)
    found = []
    for path in repository.tracked:
        if not windows_allows(path):
            found.append(Finding(path, "is no possible name on Windows"))
        if len(path) > _LONGEST:
            found.append(Finding(path, f"has {len(path)} characters, more than {_LONGEST}"))
        if twins[path.casefold()] > 1:
            found.append(Finding(path, "differs from another tracked name only in case"))
    return found
