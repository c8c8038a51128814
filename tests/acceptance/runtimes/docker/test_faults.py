"""Engines that fail while they are used: killed, restarted, hung, full, or governed by a policy."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socketserver
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes import supervision
from acceptance.runtimes.docker import engine as docker_engine
from acceptance.runtimes.docker.runtime import DockerRuntime, container_name


def test_an_engine_killed_in_the_middle_of_a_run_is_lost_not_a_failed_job(private_engine, private_bench, monkeypatch):
    monkeypatch.setattr(supervision, "ENGINE_LOST_AFTER_S", 5.0)
    engine = private_engine()
    bench = private_bench(engine)
    with bench.started(bench.spec("i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done")) as container:
        threading.Timer(1.0, engine.kill).start()
        began = time.monotonic()
        result = container.wait(lambda line: None)
        took = time.monotonic() - began
        removal = time.monotonic()
        container.remove()
        assert time.monotonic() - removal < 5
    assert (result.exit_code, result.engine_lost, result.deadline_exceeded) == (None, True, False)
    assert result.tail[0] == "line 1"
    assert 5 < took < 15


def test_an_engine_that_restarts_with_live_restore_gives_the_true_exit_code_and_the_whole_log(
    private_engine, private_bench
):
    engine = private_engine("--live-restore")
    bench = private_bench(engine)
    with bench.started(
        bench.spec("i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; sleep 0.2; done; exit 9")
    ) as container:

        def restart():
            engine.kill()
            time.sleep(1)
            engine.start()

        threading.Timer(1.0, restart).start()
        result = container.wait(lambda line: None)
    assert (result.exit_code, result.engine_lost) == (9, False)
    assert list(result.tail) == [f"line {number}" for number in range(1, 31)]


def test_a_full_engine_disk_fails_the_build_and_keeps_the_good_image(private_engine, private_bench):
    engine = private_engine(megabytes=64)
    bench = private_bench(engine)
    good = bench.runtime.build(bench.build_spec("FROM BASE\nRUN echo good >/made\n"), lambda line: None)
    failure = bench.build_failure("FROM BASE\nRUN dd if=/dev/zero of=/big bs=1M count=200\n")
    assert failure.cause == "disk_full_engine"
    assert bench.docker("image", "inspect", "-f", "{{.Id}}", good.tag) == good.id
    with bench.started(bench.spec("cat /made", image=good)) as container:
        assert container.wait(lambda line: None).tail == ("good",)


def test_an_engine_killed_in_the_middle_of_a_build_is_unreachable(private_engine, private_bench):
    engine = private_engine()
    bench = private_bench(engine)
    threading.Timer(1.5, engine.kill).start()
    failure = bench.build_failure("FROM BASE\nRUN sleep 20\n")
    assert failure.cause == "docker_daemon_unreachable"


def test_an_engine_that_hangs_in_the_middle_of_a_build_does_not_outlast_the_deadline(
    private_engine, private_bench, monkeypatch
):
    monkeypatch.setattr(docker_engine, "POLL_TIMEOUT_S", 2)
    engine = private_engine()
    bench = private_bench(engine)
    threading.Timer(1.0, engine.signal, (signal.SIGSTOP,)).start()
    began = time.monotonic()
    failure = bench.build_failure("FROM BASE\nRUN sleep 20\n", deadline_s=3.0)
    engine.signal(signal.SIGCONT)
    assert failure.cause == "build_deadline_exceeded"
    assert time.monotonic() - began < 10


class Policy(BaseHTTPRequestHandler):
    """An authorization plugin that allows everything but the requests (method and path) that hold one of the server's `denied` words."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/Plugin.Activate":
            answer = {"Implements": ["authz"]}
        else:
            request = json.loads(body)
            asked = f"{request['RequestMethod']} {request['RequestUri']}"
            denied = self.path == "/AuthZPlugin.AuthZReq" and any(word in asked for word in self.server.denied)
            answer = {"Allow": not denied, "Msg": "this may not be done here", "Err": ""}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self):
        return "engine"

    def log_message(self, *_):
        pass


@pytest.fixture(params=[("/containers/create", "/build?")])
def policy(request):
    """Name of an authorization plugin that runs while the test does, and denies what the parameter says."""
    plugins = Path("/run/docker/plugins")
    name = f"test-policy-{uuid.uuid4().hex[:8]}"
    with contextlib.ExitStack() as stack:
        try:
            plugins.mkdir(parents=True, exist_ok=True)
            server = socketserver.ThreadingUnixStreamServer(str(plugins / f"{name}.sock"), Policy)
        except OSError as error:
            pytest.skip(f"a plugin's socket cannot be made: {error}")
        stack.callback((plugins / f"{name}.sock").unlink)
        stack.callback(server.server_close)
        server.denied = request.param
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        yield name


def test_a_policy_that_denies_containers_is_a_hard_stop(private_engine, private_bench, policy):
    engine = private_engine(f"--authorization-plugin={policy}")
    bench = private_bench(engine)
    with pytest.raises(EnvironmentBlocked) as caught:
        bench.runtime.start(bench.spec())
    assert caught.value.cause == "policy_denied"
    assert "this may not be done here" in caught.value.evidence["error"]
    assert bench.build_failure("FROM BASE\nRUN true\n").cause == "policy_denied"


@pytest.mark.parametrize("policy", [("DELETE /",)], indirect=True)
def test_a_container_of_a_dead_run_that_cannot_be_removed_blocks_its_own_workspace_and_no_other(
    private_engine, private_bench, policy, monkeypatch
):
    monkeypatch.setattr(docker_engine, "_REMOVAL_S", 0.5)
    bench = private_bench(private_engine(f"--authorization-plugin={policy}"))
    owner = re.sub(r":\d+:\d+:", ":4194304:1:", bench.spec().owner)
    bench.runtime.start(bench.spec("echo up; sleep 100", owner=owner))
    assert bench.runtime.reap(frozenset({"another-run"})) == ()
    with pytest.raises(EnvironmentBlocked) as caught:
        bench.runtime.reap(frozenset({bench.run_id}))
    assert caught.value.cause == "policy_denied"
    assert len(bench.containers()) == 1


def test_reaping_removes_the_containers_of_dead_owners_only(bench):
    machine, boot, pid, start, namespace = bench.spec().owner.split(":")
    owners = {
        "live": f"{machine}:{boot}:{pid}:{start}:{namespace}",
        "reused-pid": f"{machine}:{boot}:{pid}:{int(start) + 1}:{namespace}",
        "gone": f"{machine}:{boot}:4194304:1:{namespace}",
        "other-boot": f"{machine}:00000000-0000-0000-0000-000000000000:{pid}:{start}:{namespace}",
        "other-machine": f"0000000000000000:00000000-0000-0000-0000-000000000000:{pid}:{start}:{namespace}",
        "other-namespace": f"{machine}:{boot}:4194304:1:1",
        "abandoned-namespace": f"{machine}:{boot}:4194304:1:1",
        "foreign-label": "something else",
    }
    for name, owner in owners.items():
        labels = (
            "--label",
            f"voice-acceptance.owner={owner}",
            "--label",
            f"voice-acceptance.run-id={bench.run_id}-{name}",
        )
        bench.docker(
            "run", "-d", "--network=none", "--name", f"{bench.run_id}-{name}", *labels, bench.base, "sleep", "100"
        )
    try:
        reaped = bench.runtime.reap(frozenset({f"{bench.run_id}-abandoned-namespace", f"{bench.run_id}-live"}))
        left = bench.docker("ps", "-a", "--format", "{{.Names}}", "--filter", f"name={bench.run_id}").split()
        assert {name for name in reaped if bench.run_id in name} == {
            f"{bench.run_id}-{name}" for name in ("reused-pid", "gone", "other-boot", "abandoned-namespace")
        }
        assert sorted(left) == sorted(
            f"{bench.run_id}-{name}" for name in ("live", "other-machine", "other-namespace", "foreign-label")
        )
    finally:
        for container in bench.docker("ps", "-aq", "--filter", f"name={bench.run_id}").split():
            bench.docker("rm", "-f", container)


def test_a_container_of_a_killed_harness_is_reaped_by_the_next(bench):
    script = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, 'tests/acceptance/runtimes'); import conftest\n"
        "bench = conftest.Bench(host=sys.argv[1], base=sys.argv[2], directory=Path(sys.argv[3]), run_id=sys.argv[4])\n"
        "bench.runtime.start(bench.spec('echo up; sleep 100')); print('up', flush=True); time.sleep(100)\n"
    )
    root = Path(__file__).parents[4]
    harness = subprocess.Popen(
        [sys.executable, "-c", script, bench.host, bench.base, str(bench.directory), bench.run_id],
        stdout=subprocess.PIPE,
        cwd=root,
    )
    assert harness.stdout.readline() == b"up\n"
    assert bench.run_id not in bench.runtime.reap()
    harness.kill()
    assert len(bench.containers()) == 1
    assert bench.run_id in bench.runtime.reap(), "the harness is dead although nobody collected it yet"
    harness.wait()
    harness.stdout.close()
    assert bench.containers() == []
    assert container_name(bench.run_id) not in bench.docker("ps", "-a", "--format", "{{.Names}}").split()


def test_reaping_without_an_engine_is_an_environment_failure():
    with pytest.raises(EnvironmentBlocked):
        DockerRuntime({"DOCKER_HOST": "unix:///nonexistent.sock"}).reap()
