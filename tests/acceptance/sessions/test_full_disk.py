"""A full disk is told as one, whoever is the first that cannot write: real sessions on small file systems."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acceptance.objective import PROJECT_ROOT
from acceptance.runtimes.process.runtime import ENTRYPOINT
from tests.acceptance.harness import run_acceptance
from tests.acceptance.small_disk import mounted

SAID = "=== DOCKER TRAIN REPORT ===\\nobjective_status: success\\nfirst_failed_step: none\\ncause: none\\n"
OBJECTIVE = f"""
runtime = "process"
audio = "data/r.wav"
min_audio_bytes = 1000
manifest = "out/a/m.json"
status = "out/b/s.json"
checkpoint = "out/c/v.pt"
command = ["/bin/sh", "-c", "head -c 100000 /dev/zero >$MANIFEST_PATH; head -c 100000 /dev/zero >$TRAIN_STATUS_PATH; printf '{SAID}'; exit 0"]
remeasure = false
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """A workspace on a file system of 2 MiB."""
    place = tmp_path / "workspace"
    place.mkdir()
    with mounted(place, "size=2m"):
        fill_in(place)
        yield place


def fill_in(workspace: Path) -> None:
    for name in ("data", "out/a", "out/b", "out/c"):
        (workspace / name).mkdir(parents=True)
    noise = np.random.default_rng(0).standard_normal(100_000) * 0.1
    soundfile.write(workspace / "data/r.wav", noise, 22_050)
    (workspace.parent / "objective.toml").write_text(OBJECTIVE)


def leave(workspace: Path, free: int) -> None:
    """Fill the workspace's disk up to `free` bytes."""
    disk = os.statvfs(workspace)
    (workspace / "filler").write_bytes(bytes(disk.f_bavail * disk.f_frsize - free))


@pytest.mark.parametrize(
    ("free", "decided"),
    [
        pytest.param(65536, ("train_failed", "phase_4_artifacts.manifest_valid", "disk_full"), id="the job's outputs"),
        pytest.param(4096, ("environment_blocked", "phase_2_build.image_built", "disk_full"), id="the build log"),
        pytest.param(
            0, ("environment_blocked", "phase_3_readiness.mount_writable", "disk_full"), id="the run's directory"
        ),
    ],
)
def test_a_workspace_with_little_room_is_a_full_disk_at_the_first_writer_that_finds_none(
    workspace: Path, free: int, decided: tuple[str, str, str]
) -> None:
    leave(workspace, free)
    session = run_acceptance(workspace, "--objective", str(workspace.parent / "objective.toml"))
    assert session.decision == decided
    action = session.block["next_unblock_action"]
    assert "df -h" in action
    assert "df -i" in action
    assert "rebuild it from the journal" not in session.stdout


@pytest.mark.parametrize("options", ["size=16k", "size=1m,nr_inodes=3"], ids=["space", "inodes"])
def test_an_output_directory_without_space_or_inodes_is_a_full_disk_and_no_matter_of_permissions(
    tmp_path: Path, options: str
) -> None:
    workspace = tmp_path / "workspace"
    fill_in(workspace)
    directory = workspace / "out/c"
    with mounted(directory, options):
        with contextlib.suppress(OSError):
            for number in range(4):
                (directory / f"filler{number}").write_bytes(bytes(0 if "inodes" in options else 2**15))
        session = run_acceptance(workspace, "--objective", str(tmp_path / "objective.toml"))
        assert session.decision == ("environment_blocked", "phase_3_readiness.mount_writable", "disk_full")
        assert session.report is not None
        assert "No space left on device" in session.report["failure"]["evidence"]["detail"]


def test_a_trainer_whose_status_finds_no_room_is_a_full_disk_and_names_the_status(tmp_path: Path) -> None:
    """The real trainer: its directory takes the marker log's one block, and then nothing more."""
    workspace = tmp_path / "workspace"
    fill_in(workspace)
    script = (
        f"head -c 9999999 /dev/zero >out/b/filler; truncate -s -4096 out/b/filler; exec {PROJECT_ROOT / ENTRYPOINT}"
    )
    objective = tmp_path / "objective.toml"
    objective.write_text(
        re.sub("(?m)^command = .*$", lambda _: f"command = {json.dumps(['/bin/sh', '-c', script])}", OBJECTIVE)
    )
    with mounted(workspace / "out/b", "size=2m"):
        session = run_acceptance(workspace, "--objective", str(objective))
        assert session.decision == ("train_failed", "phase_3_readiness.exit_clean", "disk_full")
        assert session.report is not None
        assert "out/b/s.json: no space left" in session.report["failure"]["message"]
        assert "the status could not be written" in session.log()
        assert session.outcome("phase_4_artifacts.status_completed") == "blocked"
        assert "df -h" in session.block["next_unblock_action"]
