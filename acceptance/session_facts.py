"""What a session knows before its first step: settings, host, and the fields that the actions of the report are filled with."""

from __future__ import annotations

import os
import platform
import shlex
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from acceptance import outputs
from acceptance.failure import RENDER_AUDIO, RESTORE_AUDIO
from acceptance.policy import Policy
from acceptance.session_command import session_command, workspace_word
from acceptance.settings import Settings
from acceptance.steps import GUARDRAILS
from acceptance.workspace import LATEST


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
    workspace = workspace_word(config)
    context = settings.context or "."
    if Path(context).is_absolute():
        context = os.path.relpath(context, config.invocation_params.dir)
    rejected = LATEST / outputs.REJECTED / Path(settings.status).name
    audio = _inside(workspace, settings.audio)
    return {
        "run": session_command(config),
        "audio": audio,
        "restore_audio": RENDER_AUDIO.format(audio=audio) if settings.audio_rendered == settings.audio else RESTORE_AUDIO.format(audio=audio),
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


def _inside(workspace: str, path: str) -> str:
    return f"{workspace}/{shlex.quote(path)}" if workspace else shlex.quote(path)
