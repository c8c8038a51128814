"""The session's own command line as a person types it again; absolute paths stay out of it, for the report names none."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

_ABSOLUTE = re.compile(r"(?:^|[\s=:,\"'])/")
_WORKSPACE = '"$WORKSPACE"'
"""Stands for an absolute workspace: the report must not depend on where that lies."""
_POLICY, _OBJECTIVE, _PROMPTS, _TEXTS = '"$POLICY"', '"$OBJECTIVE"', '"$PROMPTS"', '"$TEXTS"'
"""Likewise for an absolute policy file, an objective that lies elsewhere, and an absolute file of prompts."""


def workspace_word(config: pytest.Config) -> str:
    """The workspace as a shell word, empty where it is the directory that the session was started in."""
    given = config.option.workspace
    if given is None or Path(given) == Path():
        return ""
    return _WORKSPACE if Path(given).is_absolute() else shlex.quote(given)


def session_command(config: pytest.Config) -> str:
    """The command that runs the same objective again, whole."""
    option = config.option
    words = ["pytest", *(["--pyargs"] if option.pyargs else []), "acceptance", "-q"]
    if option.objective != "auntie_dottie":
        words.append(f"--objective={_objective_word(config)}")
    workspace = workspace_word(config)
    if workspace:
        words.append(f"--workspace={workspace}")
    if option.runtime is not None:
        words.append(f"--runtime={option.runtime}")
    if option.policy is not None:
        words.append(f"--policy={_POLICY if Path(option.policy).is_absolute() else shlex.quote(option.policy)}")
    words += ["--full-cycle"] if option.full_cycle else []
    if option.texts is not None:
        words.append(f"--texts={_TEXTS if Path(option.texts).is_absolute() else shlex.quote(option.texts)}")
    if option.production is not None:
        words.append(f"--production={_prompts_word(option.production)}" if option.production else "--production")
    words += ["--no-cost"] if option.no_cost else []
    words += ["--commit"] if option.commit else []
    for name, texts in (("--threshold", option.thresholds), ("--set", option.overrides)):
        for text in texts:
            words += () if _ABSOLUTE.search(text) else (name, shlex.quote(text))
    return " ".join(words)


def _prompts_word(given: str) -> str:
    return _PROMPTS if Path(given).is_absolute() else shlex.quote(given)


def _objective_word(config: pytest.Config) -> str:
    """The objective as a shell word; an absolute path by what it lies in."""
    given, workspace = config.option.objective, config.option.workspace
    path = Path(given)
    if not path.is_absolute():
        return shlex.quote(given)
    if workspace is not None and Path(workspace).is_absolute() and path.is_relative_to(workspace):
        return f"{_WORKSPACE}/{shlex.quote(str(path.relative_to(workspace)))}"
    here = config.invocation_params.dir
    return shlex.quote(str(path.relative_to(here))) if path.is_relative_to(here) else _OBJECTIVE
