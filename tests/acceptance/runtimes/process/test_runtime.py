"""The process runtime keeps the container's contract: environment, exit codes, deadlines, log, isolation, nothing left behind."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from pathlib import Path, PurePosixPath

import pytest

from acceptance.failure import EnvironmentBlocked, RuntimeBlocked
from acceptance.runtimes.base import BindMount
from acceptance.runtimes.process.record import MARK_VARIABLE, RECORD_NAME
from acceptance.runtimes.process.runtime import ENTRYPOINT, ProcessRuntime
from tests.acceptance.runtimes.process_place import wait_until

ROOT = Path(__file__).parents[4]


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
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {
        "PATH",
        "LANG",
        "HOME",
        "TMPDIR",
        "VOICE_PYTHON",
        "RUN_ID",
        "SEED",
        MARK_VARIABLE,
    }
    assert f"VOICE_PYTHON={sys.executable}" in result.tail
    home = next(line.partition("=")[2] for line in result.tail if line.startswith("HOME="))
    assert not Path(home).exists()


@pytest.mark.parametrize("code", [0, 1, 10, 30, 125, 126, 127])
def test_the_exit_code_is_the_jobs(place, code):
    result = place.run(f"exit {code}")
    assert (result.exit_code, result.started, result.deadline_exceeded, result.engine_lost) == (
        code,
        True,
        False,
        False,
    )


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
    guard.write_text((ROOT / "acceptance" / "runtimes" / "process" / "guard.py").read_text())
    for path in (
        guard,
        tmp_path,
        *(parent for parent in tmp_path.parents if Path(tempfile.gettempdir()) in parent.parents),
    ):
        path.chmod(0o755)
    read, write = os.pipe()
    command = [str(python), "-I", str(guard), str(read), "none", "--", "/bin/sh", "-c", "id -u; cat /proc/self/net/dev"]
    answer = subprocess.run(
        command, pass_fds=(read,), user=65534, group=65534, extra_groups=[], capture_output=True, text=True, check=False
    )
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


def test_one_hundred_thousand_lines_are_logged_complete_and_the_watcher_gets_few(place):
    lines = []
    with place.started(place.spec("seq 1 100000")) as process:
        result = process.wait(lines.append)
    assert lines[:1000] == [str(number) for number in range(1, 1001)]
    assert len(lines) < 20_000
    assert (place.run_directory / "container.log").read_text().splitlines() == [
        str(number) for number in range(1, 100_001)
    ]
    assert len(result.tail) == 200


def test_binary_output_reaches_the_file_unchanged(place):
    place.run(r"printf '\033[31mred\000\377\376\r\n'")
    assert (place.run_directory / "container.log").read_bytes() == b"\x1b[31mred\x00\xff\xfe\r\n"


def test_a_job_that_handles_sigterm_ends_by_itself_at_the_deadline(place):
    result = place.run("trap 'echo saved; exit 5' TERM; sleep 30 & wait", deadline_s=0.5)
    assert (result.exit_code, result.deadline_exceeded, result.tail) == (5, True, ("saved",))


def test_a_job_that_ignores_sigterm_is_killed_with_its_children_after_the_grace(place):
    result = place.run(
        "trap '' TERM; sh -c 'while true; do sleep 1; done' & while true; do sleep 1; done", deadline_s=0.5, grace_s=0.5
    )
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
    process = place.runtime.start(place.spec("echo up; sleep 30"))
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


def test_a_disk_without_room_for_the_jobs_record_is_full(place):
    (place.run_directory / f"{RECORD_NAME}.new").symlink_to("/dev/full")
    with pytest.raises(EnvironmentBlocked, match="No space left on device") as caught:
        place.run("true")
    assert caught.value.cause == "disk_full"


def test_a_scratch_directory_that_cannot_be_made_blocks_the_job_by_name(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(place.root / "gone"))
    with pytest.raises(EnvironmentBlocked, match="scratch directory") as caught:
        place.run("true")
    assert caught.value.cause == "container_create_failed"


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


def test_a_job_killed_for_memory_is_reported_so(place):
    group = Path("/sys/fs/cgroup/memory") / f"runtime-test-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(64 * 2**20))
    except OSError as error:
        pytest.skip(f"needs a version 1 memory control group of its own: {error}")
    try:
        script = (
            "import os, sys; from pathlib import Path; sys.path.insert(0, '.')\n"
            "from tests.acceptance.runtimes import process_place as t\n"
            "place = t.Place(Path(sys.argv[1]), sys.argv[2]); Path(sys.argv[3], 'cgroup.procs').write_text(str(os.getpid()))\n"
            "result = place.run('exec tail /dev/zero'); print(result.exit_code, result.oom_killed)\n"
        )
        command = [sys.executable, "-c", script, str(place.root), place.run_id, str(group)]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
        assert answer.stdout.split() == ["137", "True"], answer.stderr
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()
