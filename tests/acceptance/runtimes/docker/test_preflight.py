"""Preflight against engines that are absent, forbidden, foreign or hung."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes.docker import engine as docker_engine
from acceptance.runtimes.docker.runtime import DockerRuntime

ROOT = Path(__file__).parents[4]


def blocked(runtime, check="check_daemon"):
    began = time.monotonic()
    with pytest.raises(EnvironmentBlocked) as caught:
        getattr(runtime, check)()
    return caught.value, time.monotonic() - began


def test_without_docker_on_the_path_the_client_is_missing(tmp_path):
    failure, _ = blocked(DockerRuntime({"PATH": str(tmp_path)}), "check_cli")
    assert failure.cause == "docker_cli_missing"


def test_a_docker_command_that_does_not_run_counts_as_missing(tmp_path):
    (tmp_path / "docker").write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    (tmp_path / "docker").chmod(0o755)
    failure, _ = blocked(DockerRuntime({"PATH": str(tmp_path)}), "check_cli")
    assert failure.cause == "docker_cli_missing"


def test_client_and_engine_tell_their_versions(bench):
    assert bench.runtime.check_cli().startswith("Docker version ")
    assert bench.runtime.check_daemon().startswith("Docker Engine ")
    facts = bench.runtime.facts()
    assert facts["storage_driver"]
    assert facts["network"] == "none"


@pytest.mark.parametrize("host", ["unix:///nonexistent/docker.sock", "tcp://127.0.0.1:9", "tcp://host.invalid:2375"])
def test_an_endpoint_where_nothing_listens_is_unreachable(host):
    failure, took = blocked(DockerRuntime({"DOCKER_HOST": host}))
    assert failure.cause == "docker_daemon_unreachable"
    assert took < 15


def test_a_socket_left_by_a_dead_daemon_is_unreachable(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "s"))
    failure, _ = blocked(DockerRuntime({"DOCKER_HOST": f"unix://{tmp_path}/s"}))
    assert failure.cause == "docker_daemon_unreachable"


def test_a_socket_that_this_user_may_not_open_is_denied(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become nobody")
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(tmp_path / "s"))
        held.listen()
        (tmp_path / "s").chmod(0o600)
        script = (
            "import os, sys, docker, acceptance.runtimes.docker.runtime as r\n"
            "runtime = r.DockerRuntime({'DOCKER_HOST': sys.argv[1]})\n"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "try:\n    runtime.check_daemon()\n"
            "except r.EnvironmentBlocked as failure:\n    print(failure.cause)\n"
        )
        for parent in (tmp_path, *list(tmp_path.parents)[:2]):
            parent.chmod(0o755)
        answer = subprocess.run(
            [sys.executable, "-c", script, f"unix://{tmp_path}/s"],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=ROOT,
            check=False,
        )
    assert answer.stdout.strip() == "docker_socket_denied", answer.stderr


def test_a_daemon_that_trickles_bytes_for_ever_is_hung_too(tmp_path, monkeypatch):
    monkeypatch.setattr(docker_engine, "PING_LIMIT_S", 2.0)

    def trickle():
        connection, _ = slow.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not stop.wait(0.5):
                connection.sendall(b" ")

    stop = threading.Event()
    with socket.socket(socket.AF_UNIX) as slow:
        slow.bind(str(tmp_path / "s"))
        slow.listen()
        thread = threading.Thread(target=trickle)
        thread.start()
        failure, took = blocked(DockerRuntime({"DOCKER_HOST": f"unix://{tmp_path}/s"}))
        stop.set()
        thread.join()
    assert failure.cause == "docker_daemon_hung"
    assert took < 4


def test_a_stopped_dockerd_is_hung_within_ten_seconds(private_engine):
    engine = private_engine()
    runtime = DockerRuntime({"DOCKER_HOST": engine.host})
    assert runtime.check_daemon()
    engine.signal(signal.SIGSTOP)
    failure, took = blocked(runtime)
    assert failure.cause == "docker_daemon_hung"
    assert took < 10
    engine.signal(signal.SIGCONT)
    assert runtime.check_daemon()


class NotDocker(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>welcome</html>")

    def log_message(self, *_):
        pass


def test_a_server_that_is_not_docker_is_unreachable():
    with socketserver.TCPServer(("127.0.0.1", 0), NotDocker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        failure, _ = blocked(DockerRuntime({"DOCKER_HOST": f"tcp://127.0.0.1:{server.server_address[1]}"}))
        server.shutdown()
    assert failure.cause == "docker_daemon_unreachable"


def test_the_current_docker_context_is_honoured_and_docker_host_overrides_it(tmp_path, monkeypatch, engine_host):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    subprocess.run(
        ["docker", "context", "create", "away", "--docker", "host=unix:///nonexistent/away.sock"],
        check=True,
        capture_output=True,
    )
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "away"}))
    failure, _ = blocked(DockerRuntime({}))
    assert failure.cause == "docker_daemon_unreachable"
    assert DockerRuntime({"DOCKER_HOST": engine_host}).check_daemon()
    assert blocked(DockerRuntime({"DOCKER_CONTEXT": "unknown"}))[0].cause == "docker_daemon_unreachable"
    for meta in tmp_path.glob("contexts/meta/*/meta.json"):
        meta.write_text("{torn")
    assert blocked(DockerRuntime({}))[0].cause == "docker_daemon_unreachable"
