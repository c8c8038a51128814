"""What is kept beside a certified checkpoint: who made it, from what, and how well it learned."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from acceptance.record.record import RunRecord
from acceptance.report import block

SCHEMA = "voice_version/1"


def certificate(record: RunRecord) -> dict[str, Any]:
    """The report of a run that ended in success, as it is kept beside its checkpoint."""
    settings, facts = record.session.get("settings", {}), record.facts
    status = facts.get("status") or {}
    checkpoint, audio, manifest = (facts.get(name) or {} for name in ("checkpoint", "audio", "manifest"))
    measured = facts.get("remeasured")
    return {
        "schema": SCHEMA,
        "run_id": record.run_id,
        "certified": _utc(record.session.get("time")),
        "objective": str(record.session.get("objective")),
        "backbone": settings.get("backbone"),
        "checkpoint": {
            "path": settings.get("checkpoint"),
            **{key: checkpoint.get(key) for key in ("bytes", "sha256", "content_sha256")},
        },
        "recording": {key: audio.get(key) for key in ("path", "bytes", "sha256")},
        "manifest": {
            "path": settings.get("manifest"),
            "sha256": manifest.get("sha256"),
            "entries": manifest.get("entries"),
        },
        "policy_sha256": (record.session.get("policy") or {}).get("sha256"),
        "licence": status.get("licence"),
        "losses": {
            "source": "measured on the host" if measured else "claimed by the job",
            **_losses(measured or status.get("learning")),
        },
        "report": block.values(record, record.voice_verdict()),
    }


def _losses(learning: Any) -> dict[str, Any]:
    return dict(learning) if isinstance(learning, Mapping) else {}


def _utc(seconds: Any) -> str:
    """As 2026-01-02T03:04:05Z: when the run began; empty if nobody wrote it down."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if isinstance(seconds, int | float) else ""
