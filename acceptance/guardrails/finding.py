"""What a guardrail finds, and why it may have nothing to look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold."""

    where: str
    """A file, `file:line`, a policy key or a run id."""
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


class NotApplicable(Exception):
    """Nothing can be said, and the message says why: the guardrail is skipped, which is no pass."""
