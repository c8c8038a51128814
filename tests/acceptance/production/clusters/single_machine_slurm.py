"""A Slurm of one machine in a temporary folder: munge, controller and node of its own, none of the machine's configuration touched."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "slurmstepd", "sbatch", "scontrol", "sinfo")
_CONFIGURATION = """
ClusterName=test
SlurmctldHost=localhost
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def started(place: Path) -> Iterator[dict[str, str]]:
    """The environment in which the Slurm commands find it; skips with the reason where it cannot run."""
    search = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=search) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (package slurm-wlm)")
    if os.geteuid() != 0:
        pytest.skip("needs root: the node's daemon starts jobs for other users")
    environment = {**os.environ, "PATH": search, "SLURM_CONF": str(place / "slurm.conf")}
    for name in ("state", "spool"):
        (place / name).mkdir()
    (place / "munge.key").write_bytes(secrets.token_bytes(1024))
    (place / "munge.key").chmod(0o600)
    text = _CONFIGURATION.format(
        place=place,
        controller=_free_port(),
        node=_free_port(),
        host=socket.gethostname().partition(".")[0],
        cpus=os.cpu_count(),
    )
    (place / "slurm.conf").write_text(text)
    try:
        _start(environment, "munged", f"--key-file={place}/munge.key", f"--socket={place}/munge.socket", f"--pid-file={place}/munged.pid",
               f"--log-file={place}/munged.log", f"--seed-file={place}/munge.seed", "--force")  # fmt: skip
        _start(environment, "slurmctld", "-c", "-f", str(place / "slurm.conf"))
        _start(environment, "slurmd", "-c", "-N", "localhost", "-f", str(place / "slurm.conf"))
        _wait_until_idle(environment, place)
        yield environment
    finally:
        for name in ("slurmd", "slurmctld", "munged"):
            _stop(place / f"{name}.pid")


def said(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The end of one of Slurm's commands."""
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)


def _start(environment: dict[str, str], *words: str) -> None:
    ended = said(environment, *words)
    if ended.returncode:
        pytest.skip(f"{words[0]} does not start here: {ended.stderr.strip()[-200:]}")


def _wait_until_idle(environment: dict[str, str], place: Path) -> None:
    give_up = time.monotonic() + 30
    while said(environment, "sinfo", "-h", "-o", "%T").stdout.strip() != "idle":
        if time.monotonic() > give_up:
            log = place / "slurmd.log"
            pytest.skip(f"the node does not come up: {log.read_text()[-300:] if log.exists() else 'it has no log'}")
        time.sleep(0.2)


def _stop(pid_file: Path) -> None:
    """End a daemon by its own number, and wait for its end."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        give_up = time.monotonic() + 20
        while Path(f"/proc/{pid}").exists() and time.monotonic() < give_up:
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return int(any_socket.getsockname()[1])
