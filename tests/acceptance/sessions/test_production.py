"""Phase 7 in real sessions: run only when asked for, part of the verdict then, and never a danger to the certified voice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest

from acceptance.costs import tracker
from acceptance.costs.totals import STOPPED
from acceptance.steps import PRODUCTION
from acceptance.voices import store
from tests.acceptance.harness import Session
from tests.acceptance.sessions.conftest import LENIENT, Bench

STEPS = [step.id for step in PRODUCTION]


def produce(bench: Bench, *thresholds: str, prompts: str = "prompts.txt") -> Session:
    options = [word for text in thresholds for word in ("--threshold", text)]
    return bench.run(f"--production={bench.workspace / prompts}", *options)


def outcomes(session: Session) -> list[str]:
    return [session.outcome(step) for step in STEPS]


def test_without_the_option_nothing_of_it_is_collected_and_the_report_is_as_before(bench: Bench) -> None:
    session = bench.run()
    assert session.returncode == 0 and session.block["objective_status"] == "success"
    assert session.report is not None and not any("production" in row["step"] for row in session.report["steps"])
    assert "production" not in session.stdout and session.report["session"].get("production") is None


def test_naming_the_phase_without_the_option_is_a_usage_error_that_says_how(bench: Bench) -> None:
    session = bench.run(target="acceptance/test_7_production.py")
    assert session.returncode == 4 and "--production=PROMPTS" in session.stdout + session.stderr
    assert session.block == {}


@pytest.fixture(scope="module")
def success(make_speaking: Callable[..., Bench]) -> tuple[Bench, Session]:
    """A run that certifies a voice and produces with it."""
    bench = make_speaking("success")
    return bench, produce(bench, *LENIENT)


def test_a_production_is_part_of_the_verdict_and_its_batch_lies_under_the_runs_name(
    success: tuple[Bench, Session],
) -> None:
    bench, session = success
    assert session.returncode == 0, session.stdout
    assert session.block["objective_status"] == "success" and outcomes(session) == ["passed"] * len(STEPS)
    batch = bench.workspace / "artifacts/production" / session.run_id
    report = json.loads((batch / "batch_report.json").read_text())
    assert report["counts"] == {
        "generated": 2, "approved": 2, "rejected": 0, "quarantined": 0, "left_out": 1, "prompts": 2, "prompts_approved": 2,
    }  # fmt: skip
    assert report["plan"]["certified_run"] == session.run_id
    assert report["plan"]["checkpoint_sha256"] == session.block["checkpoint_sha256"]
    assert sorted(path.name for path in (batch / "approved").glob("*.flac")) == ["0001_t1.flac", "0003_t1.flac"]


def test_the_report_block_keeps_its_format_and_the_journal_gives_it_again(success: tuple[Bench, Session]) -> None:
    bench, session = success
    assert len(session.block) == 14 and session.run_id not in session.block_text
    assert session.block_text in bench.report().stdout


def test_its_time_is_in_the_cost_log_after_the_trainings_with_what_it_made(success: tuple[Bench, Session]) -> None:
    bench, session = success
    training, production = tracker.read(bench.workspace / tracker.LOG).sessions
    assert [one.about.activity for one in (training, production)] == ["training", "production"]
    assert production.about.run == session.run_id and production.about.voice == training.about.voice
    assert production.state == STOPPED and production.made is not None and production.made.approved == 2
    assert session.report is not None
    seconds = {row["step"]: row["seconds"] for row in session.report["steps"]}
    assert production.paid_ms / 1000 == pytest.approx(sum(seconds[step] for step in STEPS[1:]), rel=0.01, abs=0.05)


def test_a_budget_that_the_training_has_spent_makes_no_production(make_speaking: Callable[..., Bench]) -> None:
    bench = make_speaking("spent")
    session = produce(bench, "cost.total_budget=0.000001")
    assert session.decision == ("environment_blocked", "phase_7_production.health_check", "budget_spent")
    assert [one.about.activity for one in tracker.read(bench.workspace / tracker.LOG).sessions] == ["training"]
    assert store.holds(bench.workspace, session.block["checkpoint_sha256"]), "the voice is kept"


def test_a_prompt_that_is_left_out_is_a_warning(success: tuple[Bench, Session]) -> None:
    assert "1 prompts are not spoken" in success[1].stdout


def test_without_a_consent_record_nothing_is_spoken_and_the_voice_stays_certified(
    make_speaking: Callable[..., Bench],
) -> None:
    bench = make_speaking("no_consent", consent=None)
    session = produce(bench)
    assert session.returncode == 1
    assert session.decision == ("environment_blocked", "phase_7_production.health_check", "consent_missing")
    assert "voice consent init" in session.block["next_unblock_action"]
    assert outcomes(session) == ["passed", "failed", *["blocked"] * 4]
    assert not list(bench.workspace.glob("artifacts/production/*/shards"))
    sha256 = session.block["checkpoint_sha256"]
    assert store.holds(bench.workspace, sha256), "the voice is kept"
    standing = bench.workspace / "out/checkpoints/voice.pt"
    assert hashlib.sha256(standing.read_bytes()).hexdigest() == sha256


def test_prompts_that_cannot_be_read_are_a_data_failure_with_their_line(make_speaking: Callable[..., Bench]) -> None:
    bench = make_speaking("bad_prompts")
    (bench.workspace / "bad.csv").write_text('id,text\na1,"never closed\n')
    session = produce(bench, prompts="bad.csv")
    assert session.decision == ("data_blocked", "phase_7_production.prompts_readable", "prompts_invalid")
    assert "line 2: a quote that never closes" in session.stdout


def test_a_voice_of_which_no_clip_is_good_enough_fails_the_objective(make_speaking: Callable[..., Bench]) -> None:
    bench = make_speaking("nothing_good")
    (bench.workspace / "one.txt").write_text("Thank you.\n")
    session = produce(bench, "production.min_similarity=1.0", prompts="one.txt")
    assert session.decision == ("train_failed", "phase_7_production.clips_sorted", "production_empty")


def test_a_failure_before_it_blocks_the_whole_phase(make_speaking: Callable[..., Bench]) -> None:
    bench = make_speaking("failed_training")
    session = bench.run(f"--production={bench.workspace / 'prompts.txt'}", "--set", "env.TINY_MODE=fail")
    assert session.block["first_failed_step"].startswith("phase_3") and outcomes(session) == ["blocked"] * len(STEPS)


def test_selecting_the_phase_alone_runs_what_it_needs(make_speaking: Callable[..., Bench]) -> None:
    bench = make_speaking("selected")
    session = bench.run(f"--production={bench.workspace / 'prompts.txt'}", "-k", "prompts_readable")
    assert session.outcome("phase_4_artifacts.learned") == "passed" == session.outcome(STEPS[0])
    assert session.block["objective_status"] == "blocked" and session.returncode == 1
    assert session.block["next_unblock_action"].endswith('--production="$PROMPTS"')
