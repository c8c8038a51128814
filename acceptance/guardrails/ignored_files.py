"""Preflight: no file is tracked and ignored at once; a change of such a file is easily lost."""

from __future__ import annotations

from acceptance.guardrails.finding import Finding
from acceptance.guardrails.repository import Repository, git


def findings(repository: Repository) -> list[Finding]:
    """Tracked files that a pattern in a .gitignore matches."""
    listed = git(repository.root, "ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
    return [Finding(path, "is tracked although .gitignore names it") for path in listed.split("\0") if path]
