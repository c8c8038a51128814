"""Known failure: a container went on running after its session had died."""

from __future__ import annotations

import subprocess

from acceptance.guardrails.finding import Finding, NotApplicable
from acceptance.runtimes.base import LABEL_OWNER, LABEL_RUN_ID
from acceptance.runtimes.ownership import Liveness, liveness

_PATIENCE_S = 1.5
"""A healthy engine lists its containers in tenths of a second; phase 1 says what is wrong with another one."""


def findings() -> list[Finding]:
    """Every container with this harness's label belongs to a session that lives; raises NotApplicable where no engine can be asked."""
    found = []
    for line in _listed(LABEL_OWNER, LABEL_RUN_ID).splitlines():
        container, owner, run_id = [*line.split("\t"), "", ""][:3]
        if liveness(owner) is Liveness.DEAD:
            problem = f"left over from run {run_id}, whose session is dead: docker rm -f {container}"
            found.append(Finding(f"container {container}", problem))
    return found


def _listed(owner: str, run_id: str) -> str:
    """One line per container: id, owner, run id."""
    shown = f'{{{{.ID}}}}\t{{{{.Label "{owner}"}}}}\t{{{{.Label "{run_id}"}}}}'
    command = ["docker", "ps", "--all", "--filter", f"label={owner}", "--format", shown]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S, check=False
        )
    except FileNotFoundError as error:
        raise NotApplicable("no Docker client is installed") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotApplicable(f"Docker cannot be asked: {type(error).__name__}") from error
    if done.returncode != 0:
        raise NotApplicable("no Docker engine answers")
    return done.stdout
