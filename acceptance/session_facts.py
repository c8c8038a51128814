"""What a session knows before its first step: settings, host, and the fields that the actions of the report are filled with."""

from __future__ import annotations

import os
import platform
import re
import shlex
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from acceptance import outputs
from acceptance.policy import Policy
from acceptance.settings import Settings
from acceptance.steps import GUARDRAILS
from acceptance.workspace import LATEST

_ABSOLUTE = re.compile(r"(?:^|[\s=:,\"'])/")
_WORKSPACE = '"$WORKSPACE"'
"""Stands for an absolute workspace: the report must not depend on where that lies."""
_POLICY = '"$POLICY"'
"""Likewise for an absolute policy file."""


def session_facts(settings: Settings, policy: Policy, root: Path, config: pytest.Config) -> dict[str, object]:
    """Facts for `session_started`; those of the host are for report.json only."""
    return {
        "objective": settings.name,
        "settings": asdict(settings),
        "policy": {"sha256": policy.sha256, "origins": dict(policy.origins), "changed": policy.changed()},
        "blocking_guardrails": [guardrail.id for guardrail in GUARDRAILS if guardrail.check in policy.guardrails.blocking],
        "workspace": str(root),
        "arguments": list(config.invocation_params.args),
        "time": time.time(),
        "host": {"system": platform.platform(), "python": platform.python_version(), "processors": os.cpu_count()},
        "action_fields": action_fields(settings, config),
    }


def action_fields(settings: Settings, config: pytest.Config) -> dict[str, str]:
    """Shell-ready texts for the actions; paths are relative to where the session was started."""
    workspace = _workspace_word(config)
    context = settings.context or "."
    if Path(context).is_absolute():
        context = os.path.relpath(context, config.invocation_params.dir)
    rejected = LATEST / outputs.REJECTED / Path(settings.status).name
    return {
        "run": _command(config),
        "audio": _inside(workspace, settings.audio),
        "status": _inside(workspace, str(rejected)),
        "latest": _inside(workspace, str(LATEST)),
        "output_dirs": " ".join(_inside(workspace, path) for path in settings.output_dirs()),
        "dockerfile": shlex.quote(os.path.normpath(Path(context, settings.dockerfile))),
        "context": shlex.quote(context),
        "min_audio_bytes": str(settings.min_audio_bytes),
        "max_audio_hours": f"{settings.max_audio_hours:g}",
        "weights": _inside(workspace, settings.weights or "weights/musicgen-small"),
        "prepare_dir": _inside(workspace, "artifacts/prepare"),
    }


def _workspace_word(config: pytest.Config) -> str:
    """The workspace as a shell word, empty where it is the directory that the session was started in."""
    given = config.option.workspace
    if given is None or Path(given) == Path():
        return ""
    return _WORKSPACE if Path(given).is_absolute() else shlex.quote(given)


def _inside(workspace: str, path: str) -> str:
    return f"{workspace}/{shlex.quote(path)}" if workspace else shlex.quote(path)


def _command(config: pytest.Config) -> str:
    """The command that runs the same objective again, whole; absolute paths stay out of it, for the report names none."""
    words, option = ["pytest", "acceptance", "-q"], config.option
    if option.objective != "auntie_dottie":
        path = Path(option.objective)
        words.append(f"--objective={shlex.quote(path.name if path.is_absolute() else option.objective)}")
    workspace = _workspace_word(config)
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
