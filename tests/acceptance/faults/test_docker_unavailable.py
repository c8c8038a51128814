"""No Docker for this session: each reason has its own cause, an answer in bounded time, and nothing is tried after it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.faults.site import Site, check_blocked
from tests.acceptance.harness import run_acceptance

CLI, DAEMON = "phase_1_preflight.docker_cli", "phase_1_preflight.docker_daemon"


@pytest.fixture
def docker_objective(process_site: Site) -> Site:
    """A good workspace for the docker runtime; no engine is needed to make it."""
    process_site.runtime = "docker"
    return process_site


def test_no_docker_command_on_path(docker_objective: Site) -> None:
    session = docker_objective.run(env={"PATH": "/nonexistent"})
    check_blocked(session, "environment_blocked", CLI, "docker_cli_missing", kept=docker_objective.kept)
    assert session.outcome("phase_2_build.image_built") == session.outcome(DAEMON) == "blocked"


def test_a_docker_command_that_does_not_work_counts_as_none(docker_objective: Site, tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "docker"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    session = docker_objective.run(env={"PATH": f"{broken.parent}:{os.environ['PATH']}"})
    check_blocked(session, "environment_blocked", CLI, "docker_cli_missing", kept=docker_objective.kept)


@pytest.mark.parametrize("host", ["unix:///nonexistent/docker.sock", "tcp://127.0.0.1:1"])
def test_a_daemon_that_is_down(docker_objective: Site, with_docker_command: None, host: str) -> None:
    session = docker_objective.run(env={"DOCKER_HOST": host})
    check_blocked(session, "environment_blocked", DAEMON, "docker_daemon_unreachable", kept=docker_objective.kept)
    assert (
        session.outcome("phase_2_build.image_built")
        == session.outcome("phase_3_readiness.container_started")
        == "blocked"
    )
    assert session.outcome("phase_5_report.report_complete") == "blocked"


def test_a_missing_recording_behind_a_missing_daemon_is_told_but_does_not_decide(
    docker_objective: Site, with_docker_command: None
) -> None:
    shutil.move(docker_objective.path("data/rec.flac"), docker_objective.workspace.parent / "rec.flac")
    docker_objective.kept.clear()
    session = docker_objective.run(env={"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
    check_blocked(session, "environment_blocked", DAEMON, "docker_daemon_unreachable", kept={})
    assert session.outcome("phase_1_preflight.audio_exists") == "failed"


def test_a_socket_that_this_user_may_not_open(
    docker_objective: Site, with_docker_command: None, closed_socket: str, as_nobody: tuple[str, ...]
) -> None:
    arguments = docker_objective.arguments()
    docker_objective.give_to_nobody()
    session = run_acceptance(
        docker_objective.workspace,
        *arguments,
        env={"DOCKER_HOST": closed_socket, "HOME": "/nonexistent"},
        prefix=as_nobody,
    )
    check_blocked(session, "environment_blocked", DAEMON, "docker_socket_denied", kept=docker_objective.kept)


def test_a_daemon_that_never_answers_is_given_up_within_15_seconds(
    docker_objective: Site, with_docker_command: None, silent_socket: str
) -> None:
    session = docker_objective.run(env={"DOCKER_HOST": silent_socket})
    check_blocked(session, "environment_blocked", DAEMON, "docker_daemon_hung", kept=docker_objective.kept)
    assert session.seconds < 15


def test_the_default_objective_without_docker_ends_in_5_seconds(tmp_path: Path) -> None:
    session = run_acceptance(tmp_path, env={"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
    assert session.block["root_cause_class"] == "environment_blocked"
    assert session.block["cause"] in ("docker_cli_missing", "docker_daemon_unreachable")
    assert session.seconds < 5


@pytest.fixture
def with_docker_command() -> None:
    """Skips where the client is not installed."""
    if shutil.which("docker") is None:
        pytest.skip("needs the docker command line client")


@pytest.fixture
def silent_socket(tmp_path: Path) -> Iterator[str]:
    """A daemon's socket that accepts everybody and answers nobody."""
    with _listening(tmp_path / "silent.sock") as server:
        accepted: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"unix://{tmp_path}/silent.sock"
        server.shutdown(socket.SHUT_RDWR)
        for connection in accepted:
            connection.close()


@pytest.fixture
def closed_socket() -> Iterator[str]:
    """A socket that other users can reach and may not open."""
    directory = Path(tempfile.mkdtemp(prefix="acceptance-socket-"))
    directory.chmod(0o755)
    with _listening(directory / "docker.sock"):
        (directory / "docker.sock").chmod(0o600)
        yield f"unix://{directory}/docker.sock"
    shutil.rmtree(directory)


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield server
