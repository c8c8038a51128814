"""Known failure: clips changed under a manifest that still looked right. The latest good run's manifest and clips have their hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from acceptance.guardrails.finding import Finding, NotApplicable
from acceptance.guardrails.stored_run import StoredRun
from trainer.files import plain_file

_BUDGET_BYTES = 2**28
"""So much audio is hashed at most: a guardrail takes no minute. `voice manifest verify` reads all of it."""


def findings(run: StoredRun, workspace: Path) -> list[Finding]:
    """The manifest is the one of the report, and each of its clips is there unchanged.

    Of more than 256 MiB only so much is hashed: a finding says how much, and where there is none NotApplicable does, for it is no pass.
    """
    relative = str(run.record.session.get("settings", {}).get("manifest"))
    expected = run.record.status.get("manifest_sha256")
    try:
        data = (workspace / relative).read_bytes()
    except OSError as error:
        return [Finding(relative, f"the manifest of run {run.id} cannot be read: {error.strerror}")]
    if hashlib.sha256(data).hexdigest() != expected:
        return [Finding(relative, f"it is not the manifest that run {run.id} reported")]
    entries = json.loads(data).get("entries", [])
    folder = (workspace / relative).parent
    within, total, read = [], 0, 0
    for entry in entries:
        size = _size(folder / str(entry.get("path")))
        total += size
        if read + size <= _BUDGET_BYTES:
            read += size
            within.append(entry)
    with ThreadPoolExecutor(max_workers=4) as pool:
        problems = list(pool.map(lambda entry: _problem(folder, entry), within))
    hashed = f"{len(within)} of {len(entries)} clips were hashed ({read / 2**20:.0f} of {total / 2**20:.0f} MiB)"
    part = "" if len(within) == len(entries) else f"; {hashed}"
    found = [
        Finding(f"{relative}: {entry.get('path')}", problem + part)
        for entry, problem in zip(within, problems, strict=True)
        if problem is not None
    ]
    if part and not found:
        raise NotApplicable(
            f"only {hashed}, all of them unchanged; all of it: voice manifest verify {shlex.quote(relative)}"
        )
    return found


def _problem(folder: Path, entry: dict[str, Any]) -> str | None:
    try:
        # Windows opens no folder; what lies there is the user's own, not a container's.
        found = plain_file.sha256(
            folder / str(entry.get("path")), root=folder if os.open in os.supports_dir_fd else None
        )
    except OSError as error:
        return f"the clip cannot be read: {error}"
    return None if found == entry.get("sha256") else "the clip changed after the manifest was written"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
