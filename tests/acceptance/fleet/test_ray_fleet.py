"""A fleet on a real Ray cluster: the rows of local sessions, nothing of the folder touched, and a clean end after a signal."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acceptance.objective import PROJECT_ROOT
from tests import shared
from tests.acceptance.fleet import folders
from tests.acceptance.fleet.test_interrupted import wait_for
from tests.acceptance.harness import environment

shared.skip_without("ray", reason="needs the package ray (make venv EXTRAS=distributed)")

pytestmark = pytest.mark.session

COMPARED = ("verdict", "first_failed_step", "failure_class", "cause", "action", "checkpoint_sha256", "exit_status")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Two nodes with one core each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield cluster.address
    finally:
        cluster.shutdown()


def fleet(folder: Path, output: Path, address: str, *arguments: str) -> list[str]:
    options = ("--engine", "ray", "--address", address, "--set", "threads=1")
    return folders.command(folder, output, *options, *arguments)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment(), capture_output=True, text=True, check=False)


def inside(output: Path, row: dict[str, Any]) -> dict[str, Any]:
    """What two engines must agree on; the folder of the fleet aside."""
    return {key: str(row[key]).replace(str(output), "OUTPUT") for key in COMPARED}


def test_a_cluster_gives_the_rows_of_local_sessions_and_leaves_the_recordings_alone(
    kit: Path, tmp_path: Path, address: str
) -> None:
    folder, local, ray = tmp_path / "folder", tmp_path / "local", tmp_path / "ray"
    for name in ("amy", "bob"):
        folders.add(folder, name, kit)
    folders.add(folder, "cut", kit, audio=folders.POINTER)
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in (folder / "data").iterdir()}
    assert folders.fleet(folder, local, "--set", "threads=1").returncode == 1
    ended = run(fleet(folder, ray, address))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    found, expected = folders.rows(ray), folders.rows(local)
    assert {name: inside(ray, row) for name, row in found.items()} == {
        name: inside(local, row) for name, row in expected.items()
    }
    assert {path: (path.stat().st_ino, path.read_bytes()) for path in (folder / "data").iterdir()} == before
    assert (ray / "workspaces/amy/data/amy.wav").samefile(folder / "data/amy.wav")
    for name in ("amy", "bob", "cut"):
        assert (ray / f"workspaces/{name}/artifacts/latest/report.txt").is_file()
    assert sorted(path.name for path in (ray / "workspaces").iterdir()) == ["amy", "bob", "cut"]
    folders.add(folder, "cut", kit)
    resumed = run(fleet(folder, ray, address, "--resume"))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert folders.runs(ray, ["amy", "bob", "cut"]) == [1, 1, 2]


def test_a_session_that_is_lost_with_its_worker_runs_again(kit: Path, tmp_path: Path, address: str) -> None:
    folder, output, sign = tmp_path / "folder", tmp_path / "output", tmp_path / "started"
    folders.add(folder, "amy", kit)
    first = f"if [ -e {sign} ]; then exec sh $0; fi; touch {sign}; sleep 60"
    text = (folder / "amy.toml").read_text().replace('["/bin/sh", ', f'["/bin/sh", "-c", "{first}", ')
    (folder / "amy.toml").write_text(text)
    process = subprocess.Popen(
        fleet(folder, output, address), cwd=PROJECT_ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        wait_for(sign.is_file)
        (worker,) = workers_of_sessions()
        os.kill(worker, signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, stdout + stderr
    assert folders.rows(output)["amy"]["verdict"] == "success"


KILLS_ITS_MACHINE = """
echo x >> "{started}"
above=$$
until [ "$above" -le 1 ] || grep -aq '^ray::RemoteSession' "/proc/$above/cmdline"; do
  above=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$above/status")
done
[ "$above" -gt 1 ] && kill -9 "$above"
sleep 60
"""


def test_a_session_that_is_always_lost_is_a_blocked_row_and_the_others_go_on(
    kit: Path, tmp_path: Path, address: str
) -> None:
    folder, output, started = tmp_path / "folder", tmp_path / "output", tmp_path / "started"
    script = tmp_path / "kills_its_machine.sh"
    script.write_text(KILLS_ITS_MACHINE.format(started=started))
    for name in ("amy", "bob", "cleo", "dan"):
        folders.add(folder, name, kit)
    amy = folder / "amy.toml"
    amy.write_text(amy.read_text().replace(str(folders.TRAINER), str(script)))
    ended = run(fleet(folder, output, address))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    found = folders.rows(output)
    assert (found["amy"]["verdict"], found["amy"]["cause"]) == ("blocked", "node_lost"), ended.stderr
    assert "was lost 3 times" in str(found["amy"]["action"]) and "--resume" in str(found["amy"]["action"])
    assert started.read_text().split() == ["x"] * 3
    assert [found[name]["verdict"] for name in ("bob", "cleo", "dan")] == ["success"] * 3


def workers_of_sessions() -> list[int]:
    """Process ids of this test's workers that hold a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if line.startswith(b"ray::RemoteSession"):
            found.append(int(path.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_sessions_of_the_cluster_and_brings_their_reports(
    number: signal.Signals, kit: Path, tmp_path: Path, address: str
) -> None:
    folder, output, sign = tmp_path / "folder", tmp_path / "output", tmp_path / "started"
    job = tmp_path / "job"
    folders.learns_nothing(kit, job)
    folders.add(folder, "amy", job, mode="hang")
    text = (
        (folder / "amy.toml")
        .read_text()
        .replace('command = ["/bin/sh", ', f'command = ["/bin/sh", "-c", "touch {sign}; exec sh $0", ')
    )
    (folder / "amy.toml").write_text(text)
    process = subprocess.Popen(
        fleet(folder, output, address), cwd=PROJECT_ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        wait_for(sign.is_file)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == 2, stdout + stderr
    (row,) = folders.rows(output).values()
    assert (row["verdict"], row["cause"], row["exit_status"]) == ("blocked", "interrupted", 2)
    assert (output / str(row["run"]) / "report.txt").is_file()


def test_a_cluster_that_is_not_there_and_one_that_is_too_small_are_one_clear_line(
    kit: Path, tmp_path: Path, address: str
) -> None:
    folder = tmp_path / "folder"
    folders.add(folder, "amy", kit)
    for where, threads, cause in (("127.0.0.1:9", "1", "cluster_unreachable"), (address, "2", "cluster_too_small")):
        ended = run(fleet(folder, tmp_path / cause, where, "--set", f"threads={threads}"))
        assert ended.returncode == 2
        assert next(line for line in ended.stderr.splitlines() if line.startswith("error: ")).endswith(f"[{cause}]"), (
            ended.stderr
        )
