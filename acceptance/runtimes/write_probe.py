"""The write probe: a few lines of POSIX shell that do in every output directory what the trainer will do - create, write, fsync, rename, remove."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes.base import ContainerSpec, Probe, RunningContainer

_DEADLINE_S = 60.0
_LOG_BYTES = 2**20
_REFUSED_CODE = 3
_SCRIPT = r"""
refused=0
for directory do
    new="$directory/.$0.new" final="$directory/.$0"
    if ! said=$( { dd if=/dev/zero of="$new" bs=4096 count=1 conv=fsync && mv -f "$new" "$final" && rm "$final"; } 2>&1 )
    then
        refused=3
        # The errno, not what dd counts before or after it.
        reason=$(printf '%s\n' "$said" | while IFS= read -r line
        do
            case $line in *" records "* | *" bytes"* | "") ;; *) printf '%s' "$line"; break ;; esac
        done)
        printf '%s: %s\n' "$directory" "${reason:-it cannot be written}"
        rm -f "$new" "$final" 2>/dev/null
    fi
done
exit $refused
"""


def probe_command(name: str, directories: Sequence[str]) -> tuple[str, ...]:
    """Command line of the probe; it exits 0 when all directories are writable, 3 when some refused (one line for each on stdout).

    `name` is a plain word that makes the probe's file names unique.
    """
    return ("/bin/sh", "-c", _SCRIPT, name, *directories)


def probe_spec(spec: ContainerSpec) -> ContainerSpec:
    """The job's container for the probe: the same mounts, a short deadline, a log of its own."""
    return dataclasses.replace(
        spec,
        deadline_s=min(spec.deadline_s, _DEADLINE_S),
        grace_s=1.0,
        log_path=spec.log_path.with_name("probe.log"),
        max_log_bytes=_LOG_BYTES,
    )


def probed(container: RunningContainer) -> Probe:
    """What the started probe found out; nothing is left of it. Raises EnvironmentBlocked(engine_lost)."""
    said: list[str] = []
    try:
        result = container.wait(said.append)
    finally:
        container.remove()
    if result.engine_lost:
        raise EnvironmentBlocked("the Docker daemon went away during the write probe", cause="engine_lost")
    if result.exit_code not in (0, _REFUSED_CODE):
        ended = f"the probe ended with exit code {result.exit_code}"
        said.append("the probe passed its deadline" if result.deadline_exceeded else ended)
    return Probe(started=result.started, writable=result.exit_code == 0, detail="\n".join(said))
