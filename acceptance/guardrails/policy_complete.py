"""Known failure: a verdict came from a default that nobody had looked at, because the policy was missing, broken or silent about a key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from acceptance import policy
from acceptance.guardrails.finding import Finding
from acceptance.policy import loading


def findings(load: Callable[[], policy.Policy], path: Path | None) -> list[Finding]:
    """The policy file is there, is valid, and says every key itself; `load` gives what it makes."""
    name = loading.shown_name(path or policy.THRESHOLDS)
    try:
        found = load()
    except policy.PolicyError as error:
        return [Finding(name, str(error))]
    missing = [Finding(name, notice) for notice in found.notices]
    if not missing:
        silent = [key for key in found.values() if found.origin(key) == "built-in default"]
        missing = [Finding(key, "the policy file does not say it; the built-in default is in force") for key in silent]
    return missing
