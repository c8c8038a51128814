"""An engine is started where none answers, found where one does, and only the script's own is stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine


def start_engine(project: Path, command: str, state: Path, *, prefix: tuple[str, ...] = (), **env: str) -> str:
    """Output of `start_engine.sh command`, its exit status as the last line."""
    done = subprocess.run(
        [*prefix, "bash", str(project / "docker" / "start_engine.sh"), command],
        env=os.environ | {"ENGINE_STATE": str(state)} | env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return f"{done.stdout}{done.stderr}{done.returncode}"


def test_an_engine_that_answers_is_left_alone(project: Path, docker_cli: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert start_engine(project, "start", state).startswith("a Docker engine answers already")
    assert start_engine(project, "stop", state) == "no engine of this script runs\n0"
    assert subprocess.run([docker_cli, "version"], capture_output=True, check=False).returncode == 0


def test_a_process_that_only_has_the_same_number_is_not_stopped(project: Path, tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "30"])
    try:
        (tmp_path / "pid").write_text(f"{bystander.pid} 1\n")
        assert start_engine(project, "stop", tmp_path) == "no engine of this script runs\n0"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path leaves room in the 107 bytes of a socket's address."""
    with tempfile.TemporaryDirectory(prefix="engine-") as directory:
        yield Path(directory)


def test_an_engine_is_started_and_stopped_again(project: Path, short_path: Path) -> None:
    if os.geteuid() != 0 or not all(map(shutil.which, ("dockerd", "docker", "unshare", "nsenter"))):
        pytest.skip("needs root, dockerd and unshare")
    # Its own network namespace: without one, the second engine removes the first one's bridge.
    holder = subprocess.Popen(["unshare", "--net", "sleep", "120"])
    try:
        # Until unshare has done its work, the process still stands in this machine's network.
        give_up = time.monotonic() + 10
        while Path(f"/proc/{holder.pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
            assert time.monotonic() < give_up, "unshare did not make a network namespace"
            time.sleep(0.02)
        prefix = ("nsenter", f"--net=/proc/{holder.pid}/ns/net")
        socket = f"unix://{short_path}/d.sock"
        places = " ".join(f"--{name}={short_path / name}" for name in ("data-root", "exec-root", "pidfile"))
        env = {"DOCKER_HOST": socket, "DOCKERD_ARGUMENTS": f"--host={socket} {places} --bridge=none --iptables=false"}
        state = short_path / "state"
        try:
            assert "started a Docker engine" in start_engine(project, "start", state, prefix=prefix, **env)
            assert "of this script runs (process" in start_engine(project, "status", state, prefix=prefix, **env)
        finally:
            stopped = start_engine(project, "stop", state, prefix=prefix, **env)
        assert stopped.startswith("stopped the Docker engine")
        assert start_engine(project, "status", state, prefix=prefix, **env) == "no engine answers\n1"
    finally:
        holder.kill()
        holder.wait()


def test_an_engine_that_cannot_start_shows_its_log(project: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("needs root and dockerd")
    env = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock", "DOCKERD_ARGUMENTS": "--no-such-option"}
    answer = start_engine(project, "start", tmp_path / "state", **env)
    assert "unknown flag: --no-such-option" in answer
    assert answer.endswith("1")


def test_an_unknown_command_is_refused(project: Path, tmp_path: Path) -> None:
    assert "usage:" in start_engine(project, "destroy", tmp_path)
