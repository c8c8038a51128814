"""Records of runs for tests of what is made of them: the default objective's fields, and events that any session could emit."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from hypothesis import strategies as st

from acceptance import objective
from acceptance.causes import CAUSES
from acceptance.steps import GUARDRAILS, STEP, STEPS

RUN = "pytest acceptance -q"
ACTION_FIELDS = {
    "run": RUN,
    "audio": "data/knowledge_audio_source/auntie_dottie.flac",
    "restore_audio": "voice init RECORDING",
    "status": "artifacts/latest/rejected/train_status.json",
    "output_dirs": "checkpoints external/audiocraft/checkpoints external/audiocraft/data/knowledge_audio",
    "dockerfile": "docker/voice-train/Dockerfile",
    "context": ".",
    "min_audio_bytes": "5000000",
    "max_audio_hours": "24",
    "latest": "artifacts/latest",
    "weights": "weights/musicgen-small",
    "prepare_dir": "artifacts/prepare",
    "docker_endpoint": "unix:///var/run/docker.sock (the default)",
    "docker_repair": "sudo systemctl start docker",
    "docker_restart": "sudo systemctl restart docker",
    "docker_grant": 'sudo usermod -aG docker "$USER"',
}
IDS = [step.id for step in STEPS]
GUARDS = [step.id for step in GUARDRAILS]
texts = st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def session_started(run_id: str = "20260102T030405Z-1a2b3c") -> dict[str, Any]:
    """The first event of a run of the default objective."""
    event = {
        "event": "session_started",
        "run_id": run_id,
        "selected": IDS,
        "objective": "auntie_dottie",
        "action_fields": ACTION_FIELDS,
    }
    return json.loads(json.dumps(event | {"settings": asdict(objective.load("auntie_dottie", environ={}))}))


def failed(step: str, cause: str, message: str) -> dict[str, Any]:
    """The event of a failed step."""
    failure = {
        "class": str(CAUSES[cause].failure_class or STEP[step].stage),
        "cause": cause,
        "message": message,
        "evidence": {},
    }
    return {
        "event": "step_finished",
        "step": step,
        "outcome": "failed",
        "blocked_by": None,
        "seconds": 0.1,
        "failure": failure,
    }


def _advisory(step: str, message: str) -> dict[str, Any]:
    event = failed(step, "guardrail_failed", message)
    return event | {"outcome": "advisory", "failure": event["failure"] | {"evidence": {"findings": message}}}


def _plain(step: str, outcome: str) -> dict[str, Any]:
    return {
        "event": "step_finished",
        "step": step,
        "outcome": outcome,
        "blocked_by": None,
        "seconds": 0.1,
        "failure": None,
    }


facts = st.one_of(
    st.builds(lambda value: {"event": "fact", "name": "status", "value": value}, st.dictionaries(texts, json_values, max_size=4)),
    st.builds(
        lambda name, size, digest: {"event": "fact", "name": name, "value": {"bytes": size, "sha256": digest, "entries": size}},
        st.sampled_from(["audio", "manifest", "checkpoint"]), st.integers() | texts, texts | st.none(),
    ),
)  # fmt: skip
events = st.one_of(
    facts,
    st.builds(failed, st.sampled_from(IDS), st.sampled_from(sorted(CAUSES)), texts),
    st.builds(_plain, st.sampled_from(IDS), st.sampled_from(["passed", "skipped", "blocked"])),
    st.builds(_advisory, st.sampled_from(GUARDS), texts),
    st.builds(_plain, st.sampled_from(GUARDS), st.sampled_from(["passed", "skipped"])),
    st.builds(
        lambda step, reason: {"event": "fact", "name": f"skipped.{step}", "value": reason},
        st.sampled_from(GUARDS),
        texts,
    ),
    st.builds(lambda step: {"event": "step_started", "step": step}, st.sampled_from(IDS)),
    st.builds(lambda message: {"event": "warning", "message": message}, texts),
    st.builds(lambda message: {"event": "error", "message": message}, texts),
)
runs = st.lists(events, max_size=25).map(lambda rest: [session_started(), *rest])
