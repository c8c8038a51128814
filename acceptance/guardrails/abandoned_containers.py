"""Known failure: a container or a volume was still there after its session had died."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from acceptance.guardrails.finding import Finding, NotApplicable
from acceptance.runtimes.base import LABEL_OWNER, LABEL_RUN_ID
from acceptance.runtimes.ownership import Liveness, liveness
from trainer.files.printable import last_line

_PATIENCE_S = 1.5
"""A healthy engine lists what it has in tenths of a second; phase 1 says what is wrong with another one."""


_KINDS = (
    # what it is called, how the client lists them and calls their id, how one is removed
    ("container", ("ps", "--all"), "ID", "rm -f"),
    ("volume", ("volume", "ls"), "Name", "volume rm"),
)


def findings() -> list[Finding]:
    """Every container and volume with this harness's label belongs to a session that lives; raises NotApplicable if no engine can be asked."""
    found = []
    for kind, listing, identifier, removal in _KINDS:
        for line in _listed(listing, identifier).splitlines():
            name, owner, run_id = [*line.split("\t"), "", ""][:3]
            if liveness(owner) is Liveness.DEAD:
                problem = f"left over from run {run_id}, whose session is dead: docker {removal} {name}"
                found.append(Finding(f"{kind} {name}", problem))
    return found


def _listed(listing: Sequence[str], identifier: str) -> str:
    """One line for each: id, owner, run id."""
    shown = f'{{{{.{identifier}}}}}\t{{{{.Label "{LABEL_OWNER}"}}}}\t{{{{.Label "{LABEL_RUN_ID}"}}}}'
    command = ["docker", *listing, "--filter", f"label={LABEL_OWNER}", "--format", shown]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S, check=False
        )
    except FileNotFoundError as error:
        raise NotApplicable("no Docker client is installed") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotApplicable(f"Docker cannot be asked: {type(error).__name__}") from error
    if done.returncode != 0:
        raise NotApplicable(f"docker {listing[0]}: {last_line(done.stderr, f'exit code {done.returncode}')}")
    return done.stdout
