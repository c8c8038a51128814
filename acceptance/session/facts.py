"""What a session knows before its first step: settings, host, and the fields that the actions of the report are filled with."""

from __future__ import annotations

import os
import platform
import shlex
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from acceptance.causes import BEGIN_WITH_YOURS, CHECK_OUT_AUDIO, COPY_AUDIO, RENDER_AUDIO
from acceptance.evidence import outputs
from acceptance.guardrails.finding import NotApplicable
from acceptance.guardrails.repository import git
from acceptance.objective import OBJECTIVES, Settings, load, objective_path
from acceptance.policy import Policy
from acceptance.record.workspace import LATEST
from acceptance.runtimes.docker import client
from acceptance.session import resuming
from acceptance.session.command import session_command, workspace_word
from acceptance.steps import GUARDRAILS


def session_facts(settings: Settings, policy: Policy, root: Path, config: pytest.Config) -> dict[str, object]:
    """Facts for `session_started`; those of the host are for report.json only."""
    asked = config.option.production
    return {
        **({} if asked is None else {"production": asked or "the built-in prompts"}),
        **({"full_cycle": True} if config.option.full_cycle else {}),
        **({"no_cost": True} if config.option.no_cost else {}),
        "inputs": named_inputs(config),
        "objective": settings.name,
        "settings": asdict(settings),
        "policy": {"sha256": policy.sha256, "origins": dict(policy.origins), "changed": policy.changed()},
        "blocking_guardrails": [
            guardrail.id for guardrail in GUARDRAILS if guardrail.check in policy.guardrails.blocking
        ],
        "workspace": str(root),
        "arguments": list(config.invocation_params.args),
        "time": time.time(),
        "host": {"system": platform.platform(), "python": platform.python_version(), "processors": os.cpu_count()},
        "action_fields": action_fields(settings, root, config),
    }


def named_inputs(config: pytest.Config) -> dict[str, str | None]:
    """SHA-256 of the files with sentences and prompts that the command line names."""
    here = config.invocation_params.dir
    texts, prompts = config.option.texts, config.option.production
    return resuming.input_hashes(texts=here / texts if texts else None, prompts=here / prompts if prompts else None)


def action_fields(settings: Settings, root: Path, config: pytest.Config) -> dict[str, str]:
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
        "restore_audio": _restore_audio(settings, root, workspace, config),
        "status": _inside(workspace, str(rejected)),
        "workspace_option": f" --workspace {workspace}" if workspace else "",
        "latest": _inside(workspace, str(LATEST)),
        "output_dirs": " ".join(_inside(workspace, path) for path in settings.output_dirs()),
        "dockerfile": shlex.quote(os.path.normpath(Path(context, settings.dockerfile))),
        "context": shlex.quote(context),
        "min_audio_bytes": str(settings.min_audio_bytes),
        "max_audio_hours": f"{settings.max_audio_hours:g}",
        "weights": _inside(workspace, settings.weights or "weights/musicgen-small"),
        "prepare_dir": _inside(workspace, "artifacts/prepare"),
        **client.endpoint().fields(),
    }


def _restore_audio(settings: Settings, root: Path, workspace: str, config: pytest.Config) -> str:
    """How to get the recording there, if it is missing: made again, from git if git holds it, or a person's own."""
    audio = _inside(workspace, settings.audio)
    if settings.audio_rendered == settings.audio:
        return RENDER_AUDIO.format(audio=audio)
    if (root / settings.audio).exists():
        return COPY_AUDIO.format(audio=audio)
    if _git_holds(root, settings.audio):
        action = CHECK_OUT_AUDIO.format(audio=shlex.quote(settings.audio))
        return action.replace("git ", f"git -C {workspace} ", 1) if workspace else action
    objective = config.option.objective
    if objective_path(objective).parent == OBJECTIVES and settings.audio == load(objective, environ={}).audio:
        return f"cd {workspace} && {BEGIN_WITH_YOURS}" if workspace else BEGIN_WITH_YOURS
    return COPY_AUDIO.format(audio=audio)


def _git_holds(root: Path, path: str) -> bool:
    try:
        return bool(git(root, "ls-files", "-z", "--", path))
    except NotApplicable:
        return False


def _inside(workspace: str, path: str) -> str:
    return f"{workspace}/{shlex.quote(path)}" if workspace else shlex.quote(path)
