"""The session's own command line as a person types it again; absolute paths stay out of it, for the report names none."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

_ABSOLUTE = re.compile(r"(?:^|[\s=:,\"'])/")
_WORKSPACE = '"$WORKSPACE"'
"""Stands for an absolute workspace: the report must not depend on where that lies."""
_POLICY = '"$POLICY"'
"""Likewise for an absolute policy file."""


def workspace_word(config: pytest.Config) -> str:
    """The workspace as a shell word, empty where it is the directory that the session was started in."""
    given = config.option.workspace
    if given is None or Path(given) == Path():
        return ""
    return _WORKSPACE if Path(given).is_absolute() else shlex.quote(given)


def session_command(config: pytest.Config) -> str:
    """The command that runs the same objective again, whole."""
    words, option = ["pytest", "acceptance", "-q"], config.option
    if option.objective != "auntie_dottie":
        path = Path(option.objective)
        words.append(f"--objective={shlex.quote(path.name if path.is_absolute() else option.objective)}")
    workspace = workspace_word(config)
    if workspace:
        words.append(f"--workspace={workspace}")
    if option.runtime is not None:
        words.append(f"--runtime={option.runtime}")
    if option.policy is not None:
        words.append(f"--policy={_POLICY if Path(option.policy).is_absolute() else shlex.quote(option.policy)}")
    for name, texts in (("--threshold", option.thresholds), ("--set", option.overrides)):
        for text in texts:
            words += () if _ABSOLUTE.search(text) else (name, shlex.quote(text))
    return " ".join(words)
