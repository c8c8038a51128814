"""A fleet on a real Docker engine: one image is built once for all, and no signal leaves a container behind."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from tests.acceptance.engines import docker
from tests.acceptance.fleet import folders
from tests.acceptance.fleet.test_interrupted import sessions_of, wait_for
from tests.acceptance.harness import environment
from tests.acceptance.tiny_trainer_image import tiny_trainer_image

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def image(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Options of a fleet whose sessions build one image, which takes a while."""
    with tiny_trainer_image(kit, tmp_path_factory.mktemp("context"), "RUN sleep 2; echo built >/built") as options:
        yield options


def containers_of(output: Path) -> str:
    """Ids of every container of the fleet's runs."""
    runs = [path.name for path in output.glob("workspaces/*/artifacts/runs/*")]
    assert runs
    return "".join(docker("ps", "-aq", "--filter", f"label=voice-acceptance.run-id={run}") for run in runs)


def test_sessions_side_by_side_build_their_image_once(kit: Path, tmp_path: Path, image: tuple[str, ...]) -> None:
    folder, output = tmp_path / "folder", tmp_path / "output"
    for name in ("amy", "bob", "cid"):
        folders.add(folder, name, kit)
    ended = folders.fleet(folder, output, "--jobs", "3", *image)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    logs = [(output / f"workspaces/{name}/artifacts/latest/build.log").read_text() for name in ("amy", "bob", "cid")]
    assert sorted(log.count("Using cache") for log in logs) == [0, 2, 2]
    assert containers_of(output) == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_signal_leaves_a_session_or_a_container(
    number: signal.Signals, kit: Path, tmp_path: Path, image: tuple[str, ...]
) -> None:
    folder, output = tmp_path / "folder", tmp_path / "output"
    for name in ("amy", "bob"):
        folders.add(folder, name, kit, mode="hang")
    process = subprocess.Popen(
        folders.command(folder, output, "--jobs", "2", *image), cwd=PROJECT_ROOT, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for(lambda: len(list(output.glob("workspaces/*/out/*/status/job.pid"))) == 2)
        assert containers_of(output) != ""
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == (2 if number == signal.SIGTERM else -signal.SIGKILL), stdout + stderr
    wait_for(lambda: not sessions_of(output))
    assert containers_of(output) == ""
    for name in ("amy", "bob"):
        assert "cause: interrupted" in (output / f"workspaces/{name}/artifacts/latest/report.txt").read_text()
