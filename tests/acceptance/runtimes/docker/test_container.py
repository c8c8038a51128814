"""Containers on the machine's engine: confinement, streams, ends, deadlines, removal."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
import tarfile
import threading
import time
from pathlib import Path, PurePosixPath

import pytest

from acceptance.failure import EnvironmentBlocked, RuntimeBlocked
from acceptance.runtimes.base import LABEL_OWNER, LABEL_RUN_ID, BindMount, ContainerSpec, Image
from acceptance.runtimes.docker.runtime import DockerRuntime, container_name


def wait_for_line(bench, line):
    """Until the container has printed `line`."""
    give_up = time.monotonic() + 10
    while line not in (bench.directory / "container.log").read_text().splitlines():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_container_is_confined_as_promised(bench):
    result = bench.run(
        'while read -r l; do case "$l" in CapEff*|CapBnd*|NoNewPrivs*|Seccomp:*) echo "$l";; esac; done </proc/self/status; '
        "cat /proc/net/dev; id -u; touch /x; touch /tmp/x && echo tmp-ok; touch /out/x && echo out-ok",
        user="12345:12345",
    )
    text = "\n".join(result.tail)
    assert "CapEff:\t0000000000000000" in text
    assert "CapBnd:\t0000000000000000" in text
    assert "NoNewPrivs:\t1" in text
    assert "Seccomp:\t2" in text
    assert [line.strip()[:3] for line in result.tail if line.strip().startswith(("lo:", "eth", "docker"))] == ["lo:"]
    assert "12345" in result.tail
    assert "touch: /x: Read-only file system" in text
    assert "tmp-ok" in result.tail
    assert "out-ok" not in result.tail


def test_limits_and_labels_are_set_on_the_container(bench):
    with bench.started(bench.spec("echo up; sleep 30")):
        found = bench.docker(
            "inspect",
            "-f",
            "{{.HostConfig.PidsLimit}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NetworkMode}} "
            "{{.HostConfig.Init}} {{.HostConfig.AutoRemove}} {{.HostConfig.ShmSize}} {{.Image}} "
            f'{{{{index .Config.Labels "{LABEL_RUN_ID}"}}}} {{{{index .Config.Labels "{LABEL_OWNER}"}}}}',
            container_name(bench.run_id),
        ).split()
    spec = bench.spec()
    assert found == [
        *("64", str(256 * 2**20), str(256 * 2**20), "none", "true", "false", str(16 * 2**20)),
        *(spec.image.id, bench.run_id, spec.owner),
    ]


@pytest.mark.parametrize("code", [0, 10, 125])
def test_the_exit_code_is_the_containers(bench, code):
    result = bench.run(f"exit {code}")
    assert (result.exit_code, result.started, result.deadline_exceeded, result.engine_lost) == (
        code,
        True,
        False,
        False,
    )


def test_a_job_killed_by_a_signal_ends_with_128_plus_its_number(bench):
    assert bench.run("kill -ILL $$").exit_code == 128 + signal.SIGILL


def test_nothing_is_left_of_a_container_after_removal(bench):
    container = bench.runtime.start(bench.spec("echo up; sleep 30", grace_s=0.2))
    assert len(bench.containers()) == 1
    container.remove()
    container.remove()
    assert bench.containers() == []


def test_removal_gives_a_running_job_its_grace_and_keeps_what_it_said(bench):
    container = bench.runtime.start(bench.spec("trap 'echo last words; exit 0' TERM; echo up; sleep 30 & wait"))
    wait_for_line(bench, "up")
    container.remove()
    assert (bench.directory / "container.log").read_text().splitlines() == ["up", "last words"]


def test_removal_is_finished_before_a_signal_that_came_meanwhile_is_delivered(bench):
    container = bench.runtime.start(bench.spec("trap '' TERM; echo deaf; sleep 30", grace_s=1.0))
    wait_for_line(bench, "deaf")
    interrupt = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        container.remove()
    assert bench.containers() == []
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def test_a_keyboard_interrupt_while_waiting_still_lets_the_container_be_removed(bench):
    container = bench.runtime.start(bench.spec("echo up; sleep 30", grace_s=0.2))
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        container.wait(lambda line: None)
    container.remove()
    assert bench.containers() == []


def test_one_hundred_thousand_lines_are_logged_complete_and_in_order_and_the_watcher_gets_few(bench):
    lines = []
    with bench.started(bench.spec("seq 1 100000")) as container:
        result = container.wait(lines.append)
    expected = [str(number) for number in range(1, 100_001)]
    assert len(lines) < 20_000
    assert (bench.directory / "container.log").read_text().split("\n") == [*expected, ""]
    assert result.tail == tuple(expected[-200:])


def test_the_first_line_of_a_fast_container_is_not_lost(bench):
    for _ in range(3):
        lines = []
        with bench.started(bench.spec("echo first")) as container:
            container.wait(lines.append)
        assert lines == ["first"]


def test_binary_and_escape_sequences_reach_the_file_unchanged(bench):
    result = bench.run(r"printf '\033[31mred\000\377\376 === \r\n::error::no\n'")
    assert (bench.directory / "container.log").read_bytes() == b"\x1b[31mred\x00\xff\xfe === \r\n::error::no\n"
    assert result.tail == ("\x1b[31mred\x00\ufffd\ufffd === ", "::error::no")


def test_output_without_newlines_is_bounded_in_memory_and_on_disk(bench):
    result = bench.run("head -c 50000000 /dev/zero", max_log_bytes=2**20)
    written = (bench.directory / "container.log").read_bytes()
    assert result.exit_code == 0
    assert 2**20 <= len(written) < 2**20 + 100
    assert written.endswith(b"[log cut here: more than 1048576 bytes]\n")
    assert max(map(len, result.tail)) <= 4000


def test_a_line_sink_that_raises_loses_neither_log_nor_result(bench):
    def broken(line: str) -> None:
        raise RuntimeError("display gone")

    with (
        bench.started(bench.spec("seq 1 1000; exit 3")) as container,
        pytest.warns(RuntimeWarning, match="display gone"),
    ):
        result = container.wait(broken)
    assert result.exit_code == 3
    assert len((bench.directory / "container.log").read_text().splitlines()) == 1000


def test_a_job_that_handles_sigterm_ends_by_itself_at_the_deadline(bench):
    result = bench.run("trap 'echo saved; exit 5' TERM; sleep 30 & wait", deadline_s=1.0)
    assert (result.exit_code, result.deadline_exceeded, result.tail) == (5, True, ("saved",))
    assert result.seconds < 4


def test_a_job_that_ignores_sigterm_is_killed_after_its_grace(bench):
    result = bench.run("trap '' TERM; echo deaf; while true; do sleep 1; done", deadline_s=1.0, grace_s=1.0)
    assert (result.exit_code, result.deadline_exceeded, result.oom_killed) == (137, True, False)
    assert 2.0 <= result.seconds < 6


def test_a_container_killed_from_outside_is_neither_deadline_nor_memory(bench):
    with bench.started(bench.spec("echo up; sleep 30")) as container:
        threading.Timer(0.5, bench.docker, ("kill", container_name(bench.run_id))).start()
        result = container.wait(lambda line: None)
    assert (result.exit_code, result.deadline_exceeded, result.oom_killed, result.engine_lost) == (
        137,
        False,
        False,
        False,
    )


def test_a_container_removed_from_outside_has_no_known_exit_code(bench):
    with bench.started(bench.spec("echo up; sleep 30")) as container:
        threading.Timer(0.5, bench.docker, ("rm", "-f", container_name(bench.run_id))).start()
        result = container.wait(lambda line: None)
    assert result.engine_lost is False
    assert result.exit_code in (None, 137)


def test_a_container_out_of_memory_is_reported_so(bench):
    result = bench.run("tail /dev/zero", memory_bytes=32 * 2**20)
    assert (result.exit_code, result.oom_killed) == (137, True)


def test_a_process_of_a_container_that_is_killed_for_memory_is_seen_although_the_job_ends_itself(bench):
    result = bench.run("tail /dev/zero; exit 30", memory_bytes=32 * 2**20)
    assert (result.exit_code, result.oom_killed) == (30, True)


def test_any_directory_name_is_mounted_as_it_is(bench):
    names = ["with space", "ünïcødé-声", "with:colon", "with,comma", "quote'\"$x", "-dash"]
    mounts = []
    for number, name in enumerate(names):
        directory = bench.directory / name
        directory.mkdir()
        (directory / "inside").write_text(f"{name}\n")
        mounts.append(BindMount(source=directory, target=PurePosixPath(f"/out/{number}"), writable=True))
        (bench.directory / "out" / str(number)).mkdir(parents=True)
    spec = bench.spec("cat ?/inside; for d in ?; do echo back >$d/answer; done")
    with bench.started(dataclasses.replace(spec, mounts=(*spec.mounts, *mounts))) as container:
        assert list(container.wait(lambda line: None).tail) == names
    assert [(bench.directory / name / "answer").read_text() for name in names] == ["back\n"] * len(names)


def test_a_missing_mount_source_is_refused_and_not_created(bench):
    missing = bench.directory / "missing"
    spec = bench.spec(mounts=(BindMount(source=missing, target=PurePosixPath("/out"), writable=True),))
    for attempt in (bench.runtime.probe, bench.runtime.start):
        with pytest.raises(EnvironmentBlocked) as caught:
            attempt(spec)
        assert caught.value.cause == "mount_source_missing"
    assert not missing.exists()
    assert bench.containers() == []


def test_a_name_that_is_taken_is_refused_and_its_holder_kept(bench):
    other = bench.docker("create", "--name", container_name(bench.run_id), bench.base, "true")
    try:
        with pytest.raises(EnvironmentBlocked) as caught:
            bench.runtime.start(bench.spec())
        assert caught.value.cause == "container_name_taken"
        assert bench.docker("inspect", "-f", "{{.Id}}", other) == other
    finally:
        bench.docker("rm", "-f", other)


def test_a_gpu_where_there_is_none_is_unavailable(bench):
    if "nvidia" in bench.docker("info", "-f", "{{.Runtimes}}"):
        pytest.skip("this engine has a GPU runtime")
    with pytest.raises(EnvironmentBlocked) as caught:
        bench.runtime.start(bench.spec(gpus="all"))
    assert caught.value.cause == "gpu_unavailable"
    assert bench.containers() == []


@pytest.mark.parametrize(
    ("name", "content", "mode"),
    [
        ("not-executable", b"#!/bin/sh\nexit 0\n", 0o644),
        ("windows-line-ends", b"#!/bin/sh\r\nexit 0\r\n", 0o755),
        ("directory", None, 0o755),
    ],
    ids=["not executable", "windows line ends", "directory"],
)
def test_an_entrypoint_that_cannot_be_executed_is_a_runtime_failure(bench, name, content, mode):
    path = bench.directory / "out" / name
    path.parent.mkdir(exist_ok=True)
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(RuntimeBlocked) as caught:
        bench.runtime.start(bench.spec(command=(f"/out/{name}",)))
    assert caught.value.cause == "entrypoint_not_executable"
    assert bench.containers() == []


def test_an_image_of_another_architecture_is_a_runtime_failure(bench):
    elf_of_aarch64 = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\x00\xb7\x00\x01\x00\x00\x00" + b"\0" * 40
    buffer = io.BytesIO()
    with tarfile.open(mode="w", fileobj=buffer) as archive:
        shell = tarfile.TarInfo("bin/sh")
        shell.mode, shell.size = 0o755, len(elf_of_aarch64)
        archive.addfile(shell, io.BytesIO(elf_of_aarch64))
    image = bench.docker("import", "-", f"{bench.run_id}:latest", stdin=buffer.getvalue())
    with pytest.raises(RuntimeBlocked) as caught:
        bench.runtime.start(bench.spec(image=dataclasses.replace(bench.image(), id=image)))
    assert caught.value.cause == "entrypoint_not_executable"


def test_a_missing_entrypoint_is_a_runtime_failure(bench):
    with pytest.raises(RuntimeBlocked) as caught:
        bench.runtime.start(bench.spec(command=("/nowhere",)))
    assert caught.value.cause == "entrypoint_not_executable"


def test_a_command_not_found_inside_the_job_is_the_jobs_own_exit(bench):
    result = bench.run("/nowhere")
    assert (result.exit_code, result.started) == (127, True)


def test_an_image_that_is_gone_is_an_environment_failure(bench):
    image = dataclasses.replace(bench.image(), id="sha256:" + "0" * 64)
    with pytest.raises(EnvironmentBlocked) as caught:
        bench.runtime.start(bench.spec(image=image))
    assert caught.value.cause == "container_create_failed"
    assert "No such image" in caught.value.evidence["error"]


def test_the_probe_accepts_writable_directories_and_leaves_nothing(bench):
    probe = bench.runtime.probe(bench.spec())
    assert (probe.started, probe.writable, probe.detail) == (True, True, "")
    assert list((bench.directory / "out").iterdir()) == []
    assert bench.containers() == []


def test_the_probe_names_the_directory_that_belongs_to_someone_else(bench):
    probe = bench.runtime.probe(bench.spec(user="12345:12345"))
    assert (probe.started, probe.writable) == (True, False)
    assert probe.detail.startswith("/out: ")
    assert "Permission denied" in probe.detail


def test_the_probe_names_a_read_only_file_system(bench):
    sealed = BindMount(source=Path("/sys"), target=PurePosixPath("/sealed"), writable=True)
    spec = bench.spec()
    probe = bench.runtime.probe(dataclasses.replace(spec, mounts=(*spec.mounts, sealed)))
    assert not probe.writable
    assert len(probe.detail.splitlines()) == 1
    assert probe.detail.startswith("/sealed: ")


def test_the_image_is_run_by_id_also_after_its_tag_moved(bench):
    spec = bench.spec("echo original")
    bench.docker("tag", bench.base, f"{bench.run_id}:latest")
    image = dataclasses.replace(spec.image, tag=f"{bench.run_id}:latest")
    with bench.started(dataclasses.replace(spec, image=image)):
        used = bench.docker("inspect", "-f", "{{.Image}} {{.Config.Image}}", container_name(bench.run_id)).split()
    assert used == [image.id, image.id]


def test_a_workspace_whose_name_is_not_utf8_is_said_to_be_one(tmp_path):
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    source.mkdir()
    spec = ContainerSpec(
        image=Image(id="sha256:0", tag="t", context_sha256="", seconds=0.0), run_id="r", owner="o", env={},
        mounts=(BindMount(source=source, target=PurePosixPath("/w"), writable=True),), workdir=PurePosixPath("/w"), user="0:0",
        memory_bytes=2**28, pids_limit=64, shm_bytes=2**20, deadline_s=10, log_path=tmp_path / "log",
    )  # fmt: skip
    with pytest.raises(EnvironmentBlocked, match="names in UTF-8 only") as caught:
        DockerRuntime({}).start(spec)
    assert caught.value.cause == "mount_name_unsupported"
