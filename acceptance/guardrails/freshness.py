"""Files that the policy wants looked at from time to time have a commit that is not too old."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from acceptance.guardrails.finding import Finding, NotApplicable
from acceptance.guardrails.repository import git
from acceptance.policy import FreshFile

_DAY_S = 86_400


def findings(root: Path, files: Sequence[FreshFile], *, now: float | None = None) -> list[Finding]:
    """Files whose last commit is older than the policy allows at `now` (seconds since the epoch, default the present).

    Raises NotApplicable where dates cannot be had (no git, no history, a shallow clone) and where the policy names no file. A file that
    git cannot look up is a finding, and the others are judged all the same.
    """
    if not files:
        raise NotApplicable("the policy names no file under freshness")
    if git(root, "rev-parse", "--is-shallow-repository").strip() != "false":
        raise NotApplicable("the clone is shallow, so dates of commits are missing; fetch them: git fetch --unshallow")
    git(root, "rev-parse", "--verify", "HEAD")
    present = time.time() if now is None else now
    found = []
    for file in files:
        try:
            committed = git(root, "log", "-1", "--format=%ct", "--", file.path).strip()
        except NotApplicable as reason:
            found.append(Finding(file.path, f"its last commit cannot be looked up: {reason}"))
            continue
        if not (root / file.path).exists():
            found.append(Finding(file.path, "the policy wants it fresh, but it does not exist"))
        elif not committed:
            found.append(Finding(file.path, "was never committed, so nobody can say how old it is"))
        elif present - int(committed) > file.max_age_days * _DAY_S:
            age = int((present - int(committed)) / _DAY_S)
            found.append(
                Finding(file.path, f"last committed {age} days ago, allowed are {file.max_age_days}: {file.reason}")
            )
    return found
