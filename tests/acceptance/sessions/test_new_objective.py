"""What `voice init` writes is an objective that runs: its folders are made, its voice is certified and kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from acceptance.objective import PROJECT_ROOT
from tests.acceptance.harness import environment, run_acceptance
from tests.acceptance.kit import TRAINER
from tests.acceptance.sessions.conftest import Bench


def test_a_new_objective_runs_to_success(bench: Bench, kit: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "acceptance.cli",
        "init",
        "data/recording.wav",
        "--name",
        "mine",
        "--threshold",
        "audio.min_usable_s=1",
    ]
    told = subprocess.run(
        command,
        cwd=bench.workspace,
        env=environment({"PYTHONPATH": str(PROJECT_ROOT)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert f"--objective={bench.workspace}/mine.toml" in told.stdout
    options = [
        *(
            "--objective",
            str(bench.workspace / "mine.toml"),
            "--runtime",
            "process",
            "--set",
            f"command=/bin/sh {TRAINER}",
        ),
        *("--set", f"env.KIT={kit}", "--set", "remeasure=false", "--set", "backbone=vocoder"),
    ]
    session = run_acceptance(bench.workspace, *options)
    assert session.block["objective_status"] == "success", session.stdout + session.stderr
    assert session.block["checkpoint_path"] == "trained/mine/checkpoint/mine.pt"
    assert (bench.workspace / f"artifacts/voices/{session.block['checkpoint_sha256']}.pt").is_file()
