"""The array script for Slurm: clean shell, accepted by a real Slurm, which runs it, and queues again only what may help."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from acceptance.cli.main import voice
from acceptance.objective import PROJECT_ROOT
from tests.acceptance.production.clusters import single_machine_slurm
from tests.acceptance.production.clusters.single_machine_slurm import said
from tests.trainer.production import batches
from trainer.production import verification

pytestmark = pytest.mark.long


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """Two shards that can really be spoken, in a folder with a blank in its name."""
    place = tmp_path / "batch of march"
    place.mkdir()
    batches.make(place, texts=("Good morning.", "It is cold."), shards=2)
    return place


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with single_machine_slurm.started(tmp_path_factory.mktemp("slurm")) as environment:
        yield {**environment, "PYTHONPATH": str(PROJECT_ROOT), "OMP_NUM_THREADS": "1"}


def exported(batch: Path, *arguments: str) -> Path:
    output = batch.parent / "batch.sbatch"
    options = [str(batch), "--output", str(output), "--memory", "1500m", *arguments]
    ended = CliRunner().invoke(voice, ["export", "slurm", *options])
    assert ended.exit_code == 0, ended.output
    return output


def submitted(cluster: dict[str, str], script: Path) -> str:
    ended = said(cluster, "sbatch", "--parsable", str(script))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def wait_for(condition: Callable[[], object], timeout: float) -> None:
    give_up = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.3)


def tasks(cluster: dict[str, str], job: str) -> dict[str, dict[str, str]]:
    """What the controller says of each task of an array, by its index."""
    shown = said(cluster, "scontrol", "-o", "show", "job", job).stdout
    found = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in shown.splitlines()]
    return {each["ArrayTaskId"]: each for each in found if "ArrayTaskId" in each}


@pytest.mark.parametrize("arguments", [(), ("--partition", "main", "--account", "studio-1", "--time", "1-12")])
def test_the_script_is_clean_shell(batch: Path, arguments: tuple[str, ...]) -> None:
    script = exported(batch, *arguments)
    subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed: the script was only parsed")
    checked = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_slurm_accepts_the_script(batch: Path, cluster: dict[str, str]) -> None:
    ended = said(cluster, "sbatch", "--test-only", str(exported(batch, "--partition", "main")))
    assert ended.returncode == 0 and "to start at" in ended.stderr, ended.stderr


def test_slurm_makes_every_shard_of_a_batch(batch: Path, cluster: dict[str, str]) -> None:
    job = submitted(cluster, exported(batch))
    wait_for(lambda: all(task["JobState"] in ("COMPLETED", "FAILED") for task in tasks(cluster, job).values()), 300)
    logs = {path.name: path.read_text() for path in batch.glob("slurm-*.log")}
    assert {index: task["JobState"] for index, task in tasks(cluster, job).items()} == {
        "1": "COMPLETED",
        "2": "COMPLETED",
    }, logs
    for index in (1, 2):
        verification.check(batch, index)
        assert f"shard {index} of 2: done" in logs[f"slurm-{job}_{index}.log"]


ENDINGS = {10: (0, "FAILED"), 20: (0, "FAILED"), 30: (1, "PENDING"), 137: (1, "PENDING")}


@pytest.mark.parametrize("status", ENDINGS)
def test_slurm_queues_a_task_again_only_where_another_try_may_help(
    status: int, batch: Path, cluster: dict[str, str], tmp_path: Path
) -> None:
    ends = tmp_path / "python"
    ends.write_text(f"#!/bin/sh\nexit {status}\n")
    ends.chmod(0o755)
    job = submitted(cluster, exported(batch, "--python", str(ends)))
    restarts, state = ENDINGS[status]
    try:
        wait_for(
            lambda: all(
                (task["Restarts"], task["JobState"]) == (str(restarts), state) for task in tasks(cluster, job).values()
            ),
            60,
        )
        assert len(tasks(cluster, job)) == 2
    finally:
        said(cluster, "scancel", job)


def test_a_task_whose_time_is_nearly_over_asks_its_shard_to_stop(batch: Path, tmp_path: Path) -> None:
    """The script alone: TERM reaches the shard, and the shard's own status is what counts."""
    shard = tmp_path / "python"
    shard.write_text(f"#!{sys.executable}\nimport signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(20))\n"
                     "print('ready', flush=True)\ntime.sleep(60)\n")  # fmt: skip
    shard.chmod(0o755)
    task = {**os.environ, "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"}
    process = subprocess.Popen(
        ["bash", exported(batch, "--python", str(shard))], env=task, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.terminate()
    said_then = process.stdout.read()
    assert (process.wait(10), "ended with 20" in said_then) == (20, True)


BAD = {
    "a time that is none": (("--time", "soon"), "--time 'soon' cannot stand in a Slurm script"),
    "a partition with a line end": (("--partition", "main\n#SBATCH --uid=0"), "--partition"),
    "an interpreter that is no path": (("--python", "python3"), "--python 'python3'"),
    "a size that is none": (("--memory", "much"), "--memory"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_stand_in_a_script_is_refused(name: str, batch: Path) -> None:
    arguments, expected = BAD[name]
    ended = CliRunner().invoke(
        voice, ["export", "slurm", str(batch), "--output", str(batch.parent / "x.sbatch"), *arguments]
    )
    assert (ended.exit_code, expected in ended.stderr) == (2, True), ended.stderr
    assert not (batch.parent / "x.sbatch").exists()
