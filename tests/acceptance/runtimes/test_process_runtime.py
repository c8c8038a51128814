"""The process runtime keeps the container's contract: environment, exit codes, deadlines, log, isolation, nothing left behind."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path, PurePosixPath

import pytest

from acceptance.failure import EnvironmentBlocked, RuntimeBlocked
from acceptance.runtimes.base import BindMount, BuildSpec, ContainerSpec, Image
from acceptance.runtimes.ownership import current_owner
from acceptance.runtimes.process_record import MARK_VARIABLE
from acceptance.runtimes.process_runtime import ENTRYPOINT, ProcessRuntime

ROOT = Path(__file__).parents[3]


@dataclasses.dataclass(frozen=True)
class Place:
    """A project with a small entrypoint, an output directory and one run's directory."""

    root: Path
    run_id: str

    @property
    def runtime(self):
        return ProcessRuntime(project_root=self.root, runs_root=self.root / "runs")

    @property
    def run_directory(self):
        return self.root / "runs" / self.run_id

    def spec(self, script="true", **changes):
        spec = ContainerSpec(
            image=Image(id="process:test", tag="", context_sha256="", seconds=0.0),
            run_id=self.run_id,
            owner=current_owner(),
            env={},
            command=("/bin/sh", "-c", script),
            mounts=(BindMount(source=self.root / "out", target=PurePosixPath(self.root / "out"), writable=True),),
            workdir=PurePosixPath(self.root / "out"),
            user="",
            memory_bytes=2**28,
            pids_limit=64,
            shm_bytes=2**24,
            deadline_s=30,
            grace_s=2,
            log_path=self.run_directory / "container.log",
        )
        return dataclasses.replace(spec, **changes)

    def build_spec(self):
        return BuildSpec(
            context=self.root,
            dockerfile="Dockerfile",
            tag="t",
            deadline_s=60,
            log_path=self.run_directory / "build.log",
            run_id=self.run_id,
            owner=current_owner(),
        )

    @contextlib.contextmanager
    def started(self, spec):
        process = self.runtime.start(spec)
        try:
            yield process
        finally:
            process.remove()

    def run(self, script, **changes):
        with self.started(self.spec(script, **changes)) as process:
            return process.wait(lambda line: None)

    def alive(self):
        """Pids whose environment names this run."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and f"RUN_ID={self.run_id}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found


@pytest.fixture
def place(tmp_path):
    run_id = f"run-{uuid.uuid4().hex[:12]}"
    made = Place(tmp_path, run_id)
    for directory in ("out", "trainer", str(ENTRYPOINT.parent), f"runs/{run_id}"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / ENTRYPOINT).write_text("#!/bin/sh\necho entrypoint of $RUN_ID; exit 20\n")
    (tmp_path / ENTRYPOINT).chmod(0o755)
    (tmp_path / "trainer" / "model.py").write_text("x = 1\n")
    yield made
    for pid in made.alive():
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def test_no_client_and_no_daemon_are_needed(place):
    assert place.runtime.check_cli() == place.runtime.check_daemon() == "not needed: runtime process"
    assert place.runtime.workspace_root(place.root, PurePosixPath("/mount")) == PurePosixPath(place.root)


def test_the_entrypoint_runs_when_no_command_is_given(place):
    with place.started(place.spec(command=())) as process:
        result = process.wait(lambda line: None)
    assert (result.exit_code, result.tail) == (20, (f"entrypoint of {place.run_id}",))


def test_the_environment_holds_only_what_was_given_and_what_a_process_needs(place, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    result = place.run("env", env={"SEED": "7"})
    names = {line.partition("=")[0] for line in result.tail}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LANG", "HOME", "TMPDIR", "VOICE_PYTHON", "RUN_ID", "SEED", MARK_VARIABLE}
    assert f"VOICE_PYTHON={sys.executable}" in result.tail
    home = next(line.partition("=")[2] for line in result.tail if line.startswith("HOME="))
    assert not Path(home).exists()


@pytest.mark.parametrize("code", [0, 1, 10, 30, 125, 126, 127])
def test_the_exit_code_is_the_jobs(place, code):
    result = place.run(f"exit {code}")
    assert (result.exit_code, result.started, result.deadline_exceeded, result.engine_lost) == (code, True, False, False)


@pytest.mark.parametrize("name", ["SEGV", "ILL", "KILL"])
def test_a_job_killed_by_a_signal_ends_with_128_plus_its_number(place, name):
    result = place.run(f"kill -{name} $$")
    assert (result.exit_code, result.oom_killed) == (128 + getattr(signal, f"SIG{name}"), False)


def test_the_job_sees_no_network(place):
    if place.runtime.facts()["network"] != "none":
        pytest.skip(f"this kernel does not isolate: {place.runtime.facts()['network']}")
    result = place.run("cat /proc/self/net/dev")
    assert [line.partition(":")[0].strip() for line in result.tail if ":" in line] == ["lo"]


def test_the_loopback_address_works_as_in_a_container_without_network(place):
    if place.runtime.facts()["network"] != "none":
        pytest.skip(f"this kernel does not isolate: {place.runtime.facts()['network']}")
    script = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()).close(); print('ok')"
    assert place.run(f'"$VOICE_PYTHON" -c "{script}"').tail == ("ok",)


def test_an_ordinary_user_gets_no_network_either_or_the_facts_say_why(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become nobody")
    python = Path("/usr/bin/python3")
    if not python.exists():
        pytest.skip("needs a Python that nobody may run")
    guard = tmp_path / "guard.py"
    guard.write_text((ROOT / "acceptance" / "runtimes" / "process_guard.py").read_text())
    for path in (guard, tmp_path, *list(tmp_path.parents)[:2]):
        path.chmod(0o755)
    read, write = os.pipe()
    command = [str(python), "-I", str(guard), str(read), "none", "--", "/bin/sh", "-c", "id -u; cat /proc/self/net/dev"]
    answer = subprocess.run(command, pass_fds=(read,), user=65534, group=65534, extra_groups=[], capture_output=True, text=True, check=False)
    os.close(read)
    os.close(write)
    if answer.returncode == 125:
        assert answer.stderr.strip()
    else:
        assert answer.stdout.splitlines()[0] == "65534"
        assert [line.partition(":")[0].strip() for line in answer.stdout.splitlines() if ":" in line] == ["lo"]


def test_a_kernel_that_does_not_isolate_is_named_in_the_facts(place, monkeypatch, tmp_path):
    denied = tmp_path / "python"
    denied.write_text("#!/bin/sh\necho 'Operation not permitted' >&2\nexit 125\n")
    denied.chmod(0o755)
    facts = ProcessRuntime(project_root=place.root, runs_root=place.root / "runs", interpreter=denied).facts()
    assert facts["network"] == "not_isolated (Operation not permitted)"


def test_no_core_file_is_allowed(place):
    assert place.run("ulimit -c").tail == ("0",)


def test_one_hundred_thousand_lines_arrive_complete_and_in_order(place):
    lines = []
    with place.started(place.spec("seq 1 100000")) as process:
        result = process.wait(lines.append)
    assert lines == [str(number) for number in range(1, 100_001)]
    assert len((place.run_directory / "container.log").read_text().splitlines()) == 100_000
    assert len(result.tail) == 200


def test_binary_output_reaches_the_file_unchanged(place):
    place.run(r"printf '\033[31mred\000\377\376\r\n'")
    assert (place.run_directory / "container.log").read_bytes() == b"\x1b[31mred\x00\xff\xfe\r\n"


def test_a_job_that_handles_sigterm_ends_by_itself_at_the_deadline(place):
    result = place.run("trap 'echo saved; exit 5' TERM; sleep 30 & wait", deadline_s=0.5)
    assert (result.exit_code, result.deadline_exceeded, result.tail) == (5, True, ("saved",))


def test_a_job_that_ignores_sigterm_is_killed_with_its_children_after_the_grace(place):
    result = place.run("trap '' TERM; sh -c 'while true; do sleep 1; done' & while true; do sleep 1; done", deadline_s=0.5, grace_s=0.5)
    assert (result.exit_code, result.deadline_exceeded, result.oom_killed) == (137, True, False)
    assert place.alive() == []


def test_children_that_leave_the_process_group_do_not_outlive_the_job(place):
    result = place.run("setsid sleep 60 & (setsid sh -c 'sleep 60 & sleep 60' &) ; sleep 0.2; exit 3")
    assert result.exit_code == 3
    assert result.seconds < 5
    assert place.alive() == []


def test_removal_gives_a_running_job_its_grace_and_keeps_what_it_said(place):
    process = place.runtime.start(place.spec("trap 'echo last words; exit 0' TERM; echo up; sleep 30 & wait"))
    assert wait_until((place.run_directory / "container.log").read_text)
    process.remove()
    process.remove()
    assert (place.run_directory / "container.log").read_text().splitlines() == ["up", "last words"]
    assert place.alive() == []
    assert not (place.run_directory / "process.json").exists()


def test_a_keyboard_interrupt_while_waiting_still_lets_the_job_be_removed(place):
    process = place.runtime.start(place.spec("sleep 30"))
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        process.wait(lambda line: None)
    process.remove()
    assert place.alive() == []


@pytest.mark.parametrize(
    ("content", "mode"),
    [(b"#!/bin/sh\nexit 0\n", 0o644), (b"#!/bin/sh\r\nexit 0\r\n", 0o755), (None, 0)],
    ids=["not executable", "windows line ends", "missing"],
)
def test_an_entrypoint_that_cannot_be_executed_is_a_runtime_failure(place, content, mode):
    path = place.root / "out" / "job"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(RuntimeBlocked) as caught:
        place.runtime.start(place.spec(command=(str(path),)))
    assert caught.value.cause == "entrypoint_not_executable"


def test_the_probe_accepts_writable_directories_and_leaves_nothing(place):
    probe = place.runtime.probe(place.spec())
    assert (probe.started, probe.writable, probe.detail) == (True, True, "")
    assert list((place.root / "out").iterdir()) == []


def test_the_probe_names_the_directory_that_refuses(place):
    spec = place.spec()
    sealed = BindMount(source=Path("/proc/self"), target=PurePosixPath("/proc/self"), writable=True)
    probe = place.runtime.probe(dataclasses.replace(spec, mounts=(*spec.mounts, sealed)))
    assert not probe.writable
    assert probe.detail.startswith("/proc/self: ")
    assert len(probe.detail.splitlines()) == 1


def test_a_missing_output_directory_is_refused_and_not_created(place):
    missing = place.root / "missing"
    spec = place.spec(mounts=(BindMount(source=missing, target=PurePosixPath(missing), writable=True),))
    for attempt in (place.runtime.probe, place.runtime.start):
        with pytest.raises(EnvironmentBlocked) as caught:
            attempt(spec)
        assert caught.value.cause == "mount_source_missing"
    assert not missing.exists()


def test_the_image_is_the_digest_of_the_sources_alone(place):
    lines = []
    image = place.runtime.build(place.build_spec(), lines.append)
    assert image.id == f"process:sha256:{image.context_sha256}"
    (place.root / "trainer" / "__pycache__").mkdir()
    (place.root / "trainer" / "__pycache__" / "model.pyc").write_bytes(b"x")
    assert place.runtime.context_digest(place.build_spec()) == image.context_sha256
    (place.root / "trainer" / "model.py").write_text("x = 2\n")
    assert place.runtime.context_digest(place.build_spec()) != image.context_sha256
    assert (place.run_directory / "build.log").read_text().splitlines() == lines


def test_an_interpreter_that_does_not_start_blocks_the_build(place):
    runtime = ProcessRuntime(project_root=place.root, runs_root=place.root / "runs", interpreter=Path("/bin/false"))
    with pytest.raises(EnvironmentBlocked):
        runtime.build(place.build_spec(), lambda line: None)


def test_a_missing_entrypoint_blocks_the_build(place):
    (place.root / ENTRYPOINT).unlink()
    with pytest.raises(EnvironmentBlocked) as caught:
        place.runtime.build(place.build_spec(), lambda line: None)
    assert caught.value.cause == "build_context_missing_file"


HARNESS = (
    "import sys, time; from pathlib import Path; sys.path.insert(0, 'tests/acceptance/runtimes'); import test_process_runtime as t\n"
    "place = t.Place(Path(sys.argv[1]), sys.argv[2])\n"
    "process = place.runtime.start(place.spec(\"setsid sleep 300 & trap '' TERM; while true; do sleep 1; done\"))\n"
    "print('up', flush=True); time.sleep(300)\n"
)


@contextlib.contextmanager
def other_harness(place):
    harness = subprocess.Popen([sys.executable, "-c", HARNESS, str(place.root), place.run_id], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert harness.stdout.readline() == b"up\n"
        yield harness
    finally:
        harness.kill()
        harness.wait()
        harness.stdout.close()


def wait_until(condition, limit_s=5.0):
    give_up = time.monotonic() + limit_s
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.05)
    return condition()


def test_a_killed_harness_leaves_no_process_running(place):
    with other_harness(place) as harness:
        assert len(place.alive()) >= 3
        harness.kill()
        assert wait_until(lambda: place.alive() == []), place.alive()
        assert place.runtime.reap() == (place.run_id,)


def test_leftovers_of_a_killed_harness_and_a_killed_guard_are_reaped(place):
    with other_harness(place) as harness:
        guard = next(pid for pid in place.alive() if b"process_guard" in Path(f"/proc/{pid}/cmdline").read_bytes())
        assert place.runtime.reap() == ()
        assert len(place.alive()) >= 3
        os.kill(harness.pid, signal.SIGSTOP)
        os.kill(guard, signal.SIGKILL)
        harness.kill()
        harness.wait()
        assert len(place.alive()) >= 1, "what left the session outlived the guard"
        home = Path(json.loads((place.run_directory / "process.json").read_text())["home"])
        assert home.is_dir()
        assert place.runtime.reap() == (place.run_id,)
        assert not home.exists()
        assert place.alive() == []
        assert place.runtime.reap() == ()


def test_reaping_does_not_touch_a_process_that_only_shares_the_run_id(place):
    stranger = subprocess.Popen(["sleep", "60"], env={"RUN_ID": place.run_id, MARK_VARIABLE: "another"})
    try:
        machine, boot, _, _, namespace = current_owner().split(":")
        owner = f"{machine}:{boot}:4194304:1:{namespace}"
        record = {"run_id": place.run_id, "owner": owner, "mark": uuid.uuid4().hex, "home": str(place.root / "out")}
        (place.run_directory / "process.json").write_text(json.dumps(record))
        assert place.runtime.reap() == (place.run_id,)
        assert stranger.poll() is None
        assert (place.root / "out").is_dir(), "only a home of our making is removed"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_job_whose_owner_cannot_be_seen_is_reaped_only_as_one_of_the_callers_abandoned_runs(place):
    mark = uuid.uuid4().hex
    job = subprocess.Popen(["sleep", "60"], env={MARK_VARIABLE: mark})
    try:
        owner = current_owner().rpartition(":")[0] + ":1"
        record = {"run_id": place.run_id, "owner": owner, "mark": mark, "home": str(place.root / "out")}
        (place.run_directory / "process.json").write_text(json.dumps(record))
        assert place.runtime.reap() == place.runtime.reap(frozenset({"another-run"})) == ()
        assert job.poll() is None
        assert place.runtime.reap(frozenset({place.run_id})) == (place.run_id,)
        assert job.wait(5) == -signal.SIGKILL
    finally:
        job.kill()
        job.wait()


def test_a_log_that_the_disk_refuses_is_told_in_the_result(place):
    assert place.run("echo x").log_error is None
    log = place.run_directory / "container.log"
    with place.started(place.spec("until [ -e go ]; do sleep 0.05; done; echo x")) as process:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, process._tee._fd)
        os.close(full)
        (place.root / "out" / "go").touch()
        result = process.wait(lambda line: None)
    assert (result.exit_code, result.tail, result.log_error) == (0, ("x",), "No space left on device")
    assert log.read_text() == ""


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"run_id": "x", "owner": "y", "mark": "", "home": ""}', "\x00"])
def test_a_record_that_cannot_be_read_is_left_alone(place, text):
    (place.run_directory / "process.json").write_text(text)
    assert place.runtime.reap() == ()


def test_a_job_killed_for_memory_is_reported_so(place):
    group = Path("/sys/fs/cgroup/memory") / f"runtime-test-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(64 * 2**20))
    except OSError as error:
        pytest.skip(f"needs a version 1 memory control group of its own: {error}")
    try:
        script = (
            "import os, sys; from pathlib import Path; sys.path.insert(0, 'tests/acceptance/runtimes')\n"
            "import test_process_runtime as t\n"
            "place = t.Place(Path(sys.argv[1]), sys.argv[2]); Path(sys.argv[3], 'cgroup.procs').write_text(str(os.getpid()))\n"
            "result = place.run('exec tail /dev/zero'); print(result.exit_code, result.oom_killed)\n"
        )
        command = [sys.executable, "-c", script, str(place.root), place.run_id, str(group)]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
        assert answer.stdout.split() == ["137", "True"], answer.stderr
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()
