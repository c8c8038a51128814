"""A fleet that is stopped leaves no session, says how far it came, and goes on with --resume."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from junitparser import JUnitXml

from acceptance.objective import PROJECT_ROOT
from tests.acceptance.fleet import folders
from tests.acceptance.harness import environment

pytestmark = pytest.mark.session


def wait_for(condition: Callable[[], object], timeout: float = 60) -> None:
    give_up = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.05)


def sessions_of(output: Path) -> list[str]:
    """Process ids of everything that works in a fleet's folder, zombies aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().decode(errors="replace")
            where = os.readlink(path / "cwd")
        except OSError:
            continue
        if f"{output}/workspaces" in line or where.startswith(f"{output}/workspaces"):
            found.append(path.name)
    return found


@pytest.fixture
def place(kit: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A folder of three voices, of which the second never ends by itself, and the fleet's output."""
    folder = tmp_path / "folder"
    for name, mode in (("amy", "ok"), ("bob", "hang"), ("cid", "ok")):
        folders.add(folder, name, kit, mode=mode)
    return folder, tmp_path / "output"


@pytest.fixture
def hanging(place: tuple[Path, Path]) -> Iterator[subprocess.Popen[str]]:
    """A fleet whose first voice is certified and whose second one trains."""
    folder, output = place
    process = subprocess.Popen(
        folders.command(folder, output), cwd=PROJECT_ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    wait_for((output / "workspaces/bob/out/bob/status/job.pid").is_file)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_sessions_cleanly(
    number: signal.Signals, place: tuple[Path, Path], hanging: subprocess.Popen[str]
) -> None:
    folder, output = place
    hanging.send_signal(number)
    stdout, stderr = hanging.communicate(timeout=60)
    assert hanging.returncode == 2, stdout + stderr
    assert sessions_of(output) == []
    found = folders.rows(output)
    assert {name: (row["verdict"], row["cause"], row["exit_status"]) for name, row in found.items()} == {
        "amy": ("success", "none", 0),
        "bob": ("blocked", "interrupted", 2),
        "cid": ("not_run", "not_run", None),
    }
    assert (output / found["bob"]["run"] / "report.txt").is_file()
    assert f"go on: voice fleet {folder} --output {output} --resume" in stderr
    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(output / "junit.xml"))}
    assert [name for name, suite in suites.items() if suite.failures] == ["bob", "cid"]


def test_the_sessions_of_a_killed_fleet_end_by_themselves_with_their_reports_and_the_rest_is_resumed(
    place: tuple[Path, Path], hanging: subprocess.Popen[str], kit: Path
) -> None:
    folder, output = place
    hanging.kill()
    hanging.communicate()
    wait_for(lambda: not sessions_of(output))
    latest = output / "workspaces/bob/artifacts/latest"
    assert "cause: interrupted" in (latest / "report.txt").read_text()
    assert folders.rows(output)["amy"]["verdict"] == "success"
    folders.add(folder, "bob", kit)
    resumed = folders.fleet(folder, output, "--resume")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert folders.runs(output, ["amy", "bob", "cid"]) == [1, 2, 1]


def test_a_second_fleet_in_the_folder_is_refused_and_disturbs_nothing(
    place: tuple[Path, Path], hanging: subprocess.Popen[str]
) -> None:
    folder, output = place
    second = folders.fleet(folder, output, "--resume")
    assert second.returncode == 2
    assert "another fleet works in this folder" in second.stderr
    assert hanging.poll() is None


def test_a_voice_whose_session_judged_nothing_says_where_to_read_why(kit: Path, tmp_path: Path) -> None:
    folder, output = tmp_path / "folder", tmp_path / "output"
    folders.add(folder, "amy", kit)
    ended = folders.fleet(folder, output, env={"PYTEST_ADDOPTS": "--no-such-option"})
    assert ended.returncode == 1, ended.stdout + ended.stderr
    row = folders.rows(output)["amy"]
    assert (row["verdict"], row["cause"], row["exit_status"], row["run"]) == ("blocked", "not_judged", 4, None)
    sentence, _, command = str(row["action"]).partition(": ")
    assert sentence.startswith("The session judged nothing (") and ", exit status 4);" in sentence
    assert "no-such-option" in subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
    assert folders.fleet(folder, output, "--resume").returncode == 0
    (case,) = [case for suite in JUnitXml.fromfile(str(output / "junit.xml")) for case in suite][:1]
    assert case.classname.startswith("amy.")
