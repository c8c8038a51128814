"""Phase 7 in real sessions: run only when asked for, part of the verdict then, and never a danger to the certified voice."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.steps import PRODUCTION
from acceptance.voices import store
from tests.acceptance import kit as kits
from tests.acceptance.harness import Session
from tests.acceptance.sessions.conftest import OBJECTIVE, Bench
from tests.trainer.synthesis import untrained_voice
from trainer.dataset import manifest as manifests
from trainer.files import checkpoint

CONSENT = """
[speaker]
name = "A synthetic speaker"
consent = 2026-01-01
scope = ["train", "produce"]
[recording]
licence = "CC0-1.0"
[weights]
licence = "Apache-2.0"
"""
STEPS = [step.id for step in PRODUCTION]
LENIENT = (
    "production.min_similarity=-1", "production.min_realism=1", "production.max_wer=10", "production.reject_wer=10", "production.max_faults=20",
    "production.min_grade=D", "scorecard.grades.D=0", "production.min_judged_s=0",
)  # fmt: skip
"""An untrained voice can be heard and judged, and not more."""


@pytest.fixture(scope="module")
def speaking_kit(small_recording: Path, small_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a job delivers whose voice can speak: real clips, and a checkpoint of a few kilobytes."""
    folder = kits.write(tmp_path_factory.mktemp("speaking"))
    shutil.copy(small_recording, folder / "recording.wav")
    shutil.rmtree(folder / "dataset")
    shutil.copytree(small_manifest.parent, folder / "dataset")
    found = manifests.load(small_manifest)
    source = replace(found.source, path="data/recording.wav")
    (folder / "manifest.json").write_bytes(manifests.dumps(replace(found, source=source)))
    (folder / "dataset" / small_manifest.name).unlink()
    untrained_voice.write(folder / "checkpoint.pt")
    digests = {name: kits.digest((folder / file).read_bytes()) for name, file in
               (("audio_sha256", "recording.wav"), ("manifest_sha256", "manifest.json"), ("checkpoint_sha256", "checkpoint.pt"))}  # fmt: skip
    status = json.loads((folder / "status.json").read_text()) | digests
    status["content_sha256"] = checkpoint.content_sha256(checkpoint.read_with_sha256(folder / "checkpoint.pt")[0])
    (folder / "status.json").write_text(json.dumps(status))
    return folder


@pytest.fixture(scope="module")
def make_speaking(speaking_kit: Path, make_bench: Callable[..., Bench]) -> Callable[..., Bench]:
    """Makes a workspace whose job delivers a voice that can speak, with two prompts and, if wanted, a consent record."""

    def make(name: str, *, consent: str | None = CONSENT) -> Bench:
        bench = make_bench(name)
        objective = bench.workspace / "tiny.toml"
        objective.write_text(OBJECTIVE.format(script=kits.TRAINER, kit=speaking_kit))
        shutil.copy(speaking_kit / "recording.wav", bench.workspace / "data/recording.wav")
        (bench.workspace / "prompts.txt").write_text("Good morning.\n\U0001f600\nIt is cold.\n", encoding="utf-8")
        if consent is not None:
            (bench.workspace / "data/voice.toml").write_text(consent, encoding="utf-8")
        return replace(bench, objective=objective)

    return make


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
    session = produce(make_speaking("nothing_good"), "production.min_similarity=1.0")
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
