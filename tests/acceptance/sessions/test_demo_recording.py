"""The demonstration's recording is in no version control: where it is missing, the report says how it is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from acceptance.objective import PROJECT_ROOT
from tests.acceptance.harness import environment
from tests.acceptance.sessions.conftest import Bench


def test_the_action_for_the_missing_demonstration_recording_makes_it(tmp_path: Path) -> None:
    bench = Bench(workspace=tmp_path, objective=Path("demo"))
    blocked = bench.run("-q", "-k", "preflight")
    assert blocked.decision == ("data_blocked", "phase_1_preflight.audio_exists", "audio_missing"), blocked.stdout
    action = blocked.block["next_unblock_action"]
    assert (
        action.endswith(': voice demo-recording "$WORKSPACE"/artifacts/demo/data/demo_recording.flac')
        and "git" not in action
    )
    variables = {"WORKSPACE": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(
        ["/bin/sh", "-c", action.rpartition(": ")[2]],
        cwd=PROJECT_ROOT,
        env=environment(variables),
        check=True,
        timeout=120,
    )
    unblocked = bench.run("-q", "-k", "preflight")
    assert unblocked.outcome("phase_1_preflight.audio_exists") == "passed", unblocked.stdout


def test_ones_own_recording_in_the_demonstrations_place_is_not_rendered(tmp_path: Path) -> None:
    bench = Bench(workspace=tmp_path, objective=Path("demo"))
    action = bench.run("-q", "-k", "preflight", "--set", "audio=data/me.flac").block["next_unblock_action"]
    assert "demo-recording" not in action and action.endswith('install -D RECORDING "$WORKSPACE"/data/me.flac')


def test_a_recording_that_git_holds_is_checked_out_and_any_other_of_ones_own_objective_is_copied_there(
    bench: Bench,
) -> None:
    lost = bench.workspace / "data/recording.wav"
    data = lost.read_bytes()
    for words in (["init", "-q"], ["add", "data/recording.wav"]):
        subprocess.run(["git", "-C", str(bench.workspace), *words], check=True)
    lost.unlink()
    action = bench.run("-q", "-k", "audio_exists").block["next_unblock_action"]
    assert action.endswith(': git -C "$WORKSPACE" checkout -- data/recording.wav')
    subprocess.run(
        ["/bin/sh", "-c", action.rpartition(": ")[2]], env=environment({"WORKSPACE": str(bench.workspace)}), check=True
    )
    assert lost.read_bytes() == data
    shutil.rmtree(bench.workspace / ".git")
    lost.unlink()
    action = bench.run("-q", "-k", "audio_exists").block["next_unblock_action"]
    assert action.endswith(': install -D RECORDING "$WORKSPACE"/data/recording.wav')


def test_without_a_recording_the_default_objective_says_how_to_begin_with_ones_own(tmp_path: Path) -> None:
    bench = Bench(workspace=tmp_path, objective=Path("auntie_dottie"))
    blocked = bench.run("-q", "-k", "audio_exists")
    assert blocked.block["next_unblock_action"].endswith(': cd "$WORKSPACE" && voice init RECORDING')
    assert "git checkout" not in blocked.stdout
