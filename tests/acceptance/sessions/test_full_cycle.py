"""Phases 6 and 8 in real sessions: a voice comes into use, or is held with a reason; what failed is taken up again without a training."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.costs import tracker
from acceptance.report import cycle_block
from acceptance.scorecards import runs
from acceptance.steps import FULL_CYCLE, optional_steps
from acceptance.voices import consent, registry, store
from tests.acceptance.harness import Session
from tests.acceptance.sessions.conftest import CONSENT, LENIENT, Bench, wait_for, write_speaking_kit

STEPS = [step.id for step in optional_steps(FULL_CYCLE)]
PROMOTES = CONSENT.replace('"produce"', '"produce", "promote"')
EASY = (
    *LENIENT, "scorecard.promotion_minimum_grade=D", "speaker_similarity.floor=-1", "speaker_similarity.pass=-1", "speaker_similarity.warn=-0.9",
    "speech_realism.floor=1", "speech_realism.pass=1", "speech_realism.warn=1.1", "intelligibility.floor=10", "intelligibility.pass=10",
    "intelligibility.warn=9", "production.max_rejected_share=1.0",
)  # fmt: skip
"""An untrained voice is good enough."""


def arguments(bench: Bench, *more: str) -> list[str]:
    (bench.workspace / "texts.txt").write_text("Good morning.\nIt is cold.\n", encoding="utf-8")
    options = [word for text in EASY for word in ("--threshold", text)]
    return ["--full-cycle", f"--texts={bench.workspace / 'texts.txt'}", *options, *more]


def cycle(bench: Bench, *more: str) -> Session:
    return bench.run(*arguments(bench, *more))


def values(session: Session) -> dict[str, str]:
    """The cycle block."""
    text = session.stdout.partition(cycle_block.BEGIN)[2].partition(cycle_block.END)[0]
    return dict(line.split(": ", 1) for line in text.strip().splitlines())


def outcomes(session: Session) -> list[str]:
    return [session.outcome(step) for step in STEPS]


def in_use(bench: Bench) -> str | None:
    found = registry.current(bench.workspace, "tiny")
    return found and found.checkpoint_sha256


def git(bench: Bench, *words: str) -> str:
    command = ["git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.invalid", *words]
    return subprocess.run(command, cwd=bench.workspace, check=True, capture_output=True, text=True).stdout


def trained(session: Session) -> bool:
    """Whether the session started a job."""
    assert session.run_dir is not None
    return (session.run_dir / "container.log").exists()


@pytest.fixture(scope="module")
def other_kit(small_recording: Path, small_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit of another voice."""
    return write_speaking_kit(tmp_path_factory.mktemp("other"), small_recording, small_manifest, log_duration=2.1)


@pytest.fixture(scope="module")
def promoted(make_speaking: Callable[..., Bench]) -> tuple[Bench, Session]:
    """A first cycle whose voice comes into use; its workspace is not to be changed."""
    bench = make_speaking("promoted", consent=PROMOTES)
    return bench, cycle(bench)


@pytest.fixture
def copied(promoted: tuple[Bench, Session], tmp_path: Path) -> Bench:
    """A copy of the workspace with a voice in use."""
    workspace = tmp_path / "workspace"
    shutil.copytree(promoted[0].workspace, workspace, symlinks=True)
    return replace(promoted[0], workspace=workspace)


def test_the_first_good_voice_comes_into_use(promoted: tuple[Bench, Session]) -> None:
    bench, session = promoted
    assert session.returncode == 0, session.stdout + session.stderr
    assert session.block["objective_status"] == "success" and outcomes(session) == ["passed"] * len(STEPS)
    found, sha256 = values(session), session.block["checkpoint_sha256"]
    assert (found["cycle_status"], found["recommendation"], found["promoted_version"]) == ("success", "promote", sha256)
    assert in_use(bench) == sha256 and store.holds(bench.workspace, sha256)
    assert found["reason"] != "none" and found["previous_version"] == "none" and found["next_action"] == "none"


def test_the_objectives_block_is_the_one_of_a_session_without_a_cycle(
    promoted: tuple[Bench, Session], make_speaking: Callable[..., Bench]
) -> None:
    plain = make_speaking("plain").run()
    assert plain.block_text == promoted[1].block_text and plain.block["objective_status"] == "success"
    assert cycle_block.BEGIN not in plain.stdout and plain.run_dir is not None
    assert not (plain.run_dir / cycle_block.NAME).exists()


def test_the_cycle_is_kept_beside_the_report_and_the_journal_gives_it_again(promoted: tuple[Bench, Session]) -> None:
    bench, session = promoted
    assert session.run_dir is not None
    document = json.loads((session.run_dir / cycle_block.NAME).read_text())
    assert document["report"] == values(session) and document["evaluation"]["utterances"] == 2
    text = session.stdout.partition(cycle_block.BEGIN)[2].partition(cycle_block.END)[0]
    assert len(text) > 200 and text in bench.report().stdout


def test_the_cost_of_the_cycle_is_that_of_its_sessions_in_the_log(promoted: tuple[Bench, Session]) -> None:
    bench, session = promoted
    found = tracker.read(bench.workspace / tracker.LOG).sessions
    assert [one.about.activity for one in found] == ["full cycle", "training", "evaluation", "promotion"]
    assert {one.about.run for one in found} == {session.run_id} and {one.state for one in found} == {"stopped"}
    assert [one.made.promoted for one in found if one.made is not None] == [1]
    seconds = sum(one.paid_ms for one in found) / 1000
    assert float(values(session)["cost_seconds"]) == pytest.approx(seconds, abs=0.051)


def test_the_same_voice_again_cannot_be_told_apart_and_is_held_and_its_records_are_committed(copied: Bench) -> None:
    git(copied, "init", "--quiet")
    (copied.workspace / "staged.txt").write_text("of somebody")
    git(copied, "add", "staged.txt")
    before, session = in_use(copied), cycle(copied, "--commit")
    assert session.returncode == 0 and outcomes(session) == ["passed"] * len(STEPS)
    found = values(session)
    assert found["recommendation"] == "hold" and found["reason"].startswith("cannot tell: "), found
    assert in_use(copied) == before == found["promoted_version"]

    committed = git(copied, "show", "--name-only", "--format=%s").splitlines()
    assert (
        committed[0] == f"Records of run {session.run_id} (tiny): success"
        and "records in git: committed" in session.stdout
    )
    assert {
        f"artifacts/runs/{session.run_id}/cycle.json",
        "artifacts/eval_history.jsonl",
        "voices/tiny/current.json",
    } <= set(committed)
    assert not [name for name in committed[1:] if name.endswith((".pt", ".wav", ".txt")) and "report.txt" not in name]
    assert git(copied, "diff", "--cached", "--name-only") == "staged.txt\n"


@pytest.mark.parametrize("record", ["missing", "expired yesterday"])
def test_without_the_speakers_consent_the_voice_is_held_with_that_reason(
    make_speaking: Callable[..., Bench], record: str
) -> None:
    yesterday = consent.today() - datetime.timedelta(days=1)
    expired = PROMOTES.replace("consent = 2026-01-01", f"consent = 2026-01-01\nexpires = {yesterday}")
    bench = make_speaking(record, consent=None if record == "missing" else expired)
    session = cycle(bench, "--no-cost")
    assert session.returncode == 0, "to hold a voice is no failure"
    found = values(session)
    assert found["recommendation"] == "hold" and in_use(bench) is None
    assert ("voice consent init" if record == "missing" else f"ended on {yesterday}") in found["reason"]
    assert "voice promote" in found["next_action"] and found["cost_usd"] == found["cost_seconds"] == "off"


def test_other_instruments_than_at_the_promotion_are_refused_and_the_repaired_cycle_goes_on_without_a_training(
    copied: Bench, other_kit: Path
) -> None:
    history, first = copied.workspace / runs.HISTORY, in_use(copied)
    right = history.read_bytes()
    line = json.loads(right)
    line["pins"]["recogniser"] = "f" * 64
    history.write_text(json.dumps(line) + "\n")
    failed = cycle(copied, "--set", f"env.KIT={other_kit}")
    assert failed.returncode == 1 and failed.block["objective_status"] == "success", "the voice itself is certified"
    assert outcomes(failed) == ["passed", "passed", "failed", "blocked", "blocked"]
    found = values(failed)
    assert found["cycle_status"] == "blocked" and found["reason"].startswith(
        "phase_6_evaluation.compared_with_promoted: pins_differ"
    )
    assert "speak and evaluate it again" in found["reason"] and found["next_action"].endswith("--resume")
    assert store.holds(copied.workspace, failed.block["checkpoint_sha256"]) and in_use(copied) == first

    history.write_bytes(right)
    resumed = cycle(copied, "--set", f"env.KIT={other_kit}", "--resume")
    assert resumed.returncode == 0 and outcomes(resumed) == ["passed"] * len(STEPS), resumed.stdout
    assert trained(failed) and not trained(resumed)
    assert resumed.block_text == failed.block_text and resumed.block_text in copied.report().stdout
    assert f"passed in run {failed.run_id}" in resumed.stdout and values(resumed)["recommendation"] == "hold"
    guarded = copied.run("-k", "journal_intact or manifest_intact or stale_files or resume")
    assert guarded.returncode == 0 and "4 hold" in guarded.stdout, guarded.stdout


def test_a_checkpoint_of_the_version_in_use_that_was_replaced_is_a_failed_step_of_its_own(
    copied: Bench, other_kit: Path
) -> None:
    first = in_use(copied)
    assert first is not None
    store.checkpoint_path(copied.workspace, first).write_bytes(b"another")
    failed = cycle(copied, "--set", f"env.KIT={other_kit}")
    assert failed.returncode == 1 and "promoted_voice_lost" in values(failed)["reason"]
    assert values(failed)["promoted_version"] == "N/A" and in_use(copied) == first


def test_a_cycle_that_was_killed_while_it_evaluated_goes_on_there(make_speaking: Callable[..., Bench]) -> None:
    bench = make_speaking("killed", consent=PROMOTES)
    process = bench.start(*arguments(bench))
    journal = bench.workspace / "artifacts/latest/events.jsonl"
    wait_for(
        lambda: journal.is_file() and b'"step": "phase_6_evaluation.voice_evaluated"' in journal.read_bytes()[-400:], 60
    )
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    killed = journal.resolve().parent.name
    resumed = cycle(bench, "--resume")
    assert resumed.returncode == 0 and not trained(resumed), resumed.stdout
    assert values(resumed)["recommendation"] == "promote" and f"passed in run {killed}" in resumed.stdout
    assert not (bench.workspace / "artifacts/runs" / killed / "previous").exists(), "its outputs are accepted"


def test_a_failed_production_is_taken_up_and_the_evaluation_before_it_stands(
    make_speaking: Callable[..., Bench],
) -> None:
    bench = make_speaking("production", consent=PROMOTES)
    prompts = bench.workspace / "prompts.csv"
    prompts.write_text('id,text\na1,"never closed\n')
    failed = cycle(bench, f"--production={prompts}")
    assert failed.decision == ("data_blocked", "phase_7_production.prompts_readable", "prompts_invalid")
    assert outcomes(failed) == ["passed"] * 3 + ["blocked"] * 2 and in_use(bench) is None
    prompts.write_text("id,text\na1,Good morning.\n")
    resumed = cycle(bench, f"--production={prompts}", "--resume")
    assert resumed.returncode == 0 and not trained(resumed), resumed.stdout
    assert resumed.run_dir is not None and not (resumed.run_dir / "evaluation").exists()
    assert values(resumed)["recommendation"] == "promote" and values(resumed)["production"].startswith(
        "generated 1, approved 1"
    )

    # What changed since then is named, and nothing is started.
    recording = bench.workspace / "data/recording.wav"
    recording.write_bytes(recording.read_bytes() + b"\0")
    refused = cycle(bench, "--resume", "--threshold", "learning.min_improvement=0.2")
    assert refused.returncode == 4 and refused.block == {}
    for words in ("the policy changed", "the recording data/recording.wav is another file now"):
        assert words in refused.stderr
