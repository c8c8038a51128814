"""`pytest acceptance --policy --threshold`: what decides, what the report says of it, and what is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance import policy
from acceptance.policy import Policy
from tests.acceptance.sessions.conftest import Bench

STRICT = "learning:\n  min_improvement: 0.99\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def test_the_delivered_policy_judges_and_the_report_names_its_hash(bench: Bench) -> None:
    session = bench.run("-q")
    assert session.block["objective_status"] == "success", session.stdout
    found = session.report["session"]["policy"]
    assert found["sha256"] == policy.load().sha256
    assert found["origins"]["learning.min_improvement"].startswith("thresholds.yaml:")
    assert "learning.min_improvement" not in found["changed"]


def test_a_threshold_of_the_command_line_decides_over_the_file(bench: Bench, file: Path) -> None:
    file.write_text(STRICT)
    decided = bench.run("-q", "--policy", str(file), "--threshold", "learning.min_improvement=0.05")
    assert decided.block["objective_status"] == "success", decided.stdout
    found = decided.report["session"]["policy"]
    assert found == {"sha256": Policy().sha256, "origins": {"learning.min_improvement": "command line"}, "changed": {}}


def test_a_policy_file_decides_the_verdict_and_is_part_of_the_next_command(bench: Bench, file: Path) -> None:
    file.write_text(STRICT)
    session = bench.run("-q", "--policy", str(file))
    assert session.decision == ("train_failed", "phase_4_artifacts.learned", "no_learning"), session.stdout
    assert session.report["session"]["policy"]["origins"] == {"learning.min_improvement": "rules.yaml:2"}
    assert session.report["session"]["policy"]["changed"] == {"learning.min_improvement": 0.99}
    assert '--policy="$POLICY"' in session.report["session"]["action_fields"]["run"]
    assert str(file) not in session.block_text


def test_a_missing_policy_file_is_a_warning_and_the_defaults_decide(bench: Bench, file: Path) -> None:
    session = bench.run("-q", "--policy", str(file))
    assert session.block["objective_status"] == "success", session.stdout
    assert "rules.yaml does not exist: the built-in defaults are in force" in session.report["warnings"]
    assert session.report["session"]["policy"]["sha256"] == Policy().sha256


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (
            "learning:\n  min_improvement: lots\n",
            (),
            "rules.yaml:2: learning.min_improvement: 'lots' should be a valid number",
        ),
        ("learning: {", (), "rules.yaml:1: not YAML"),
        (
            STRICT,
            ("--threshold", "learning.min_improvment=1"),
            "learning.min_improvment: unknown; did you mean min_improvement?",
        ),
        (
            STRICT,
            ("--threshold", "learning.min_improvement=.inf"),
            "--threshold learning.min_improvement: .inf is not a finite number",
        ),
    ],
)
def test_a_malformed_policy_is_a_usage_error_before_anything_is_touched(
    text: str, arguments: tuple[str, ...], message: str, bench: Bench, file: Path
) -> None:
    file.write_text(text)
    before = sorted(bench.workspace.rglob("*"))
    session = bench.run("-q", "--policy", str(file), *arguments)
    assert session.returncode == 4
    assert message in session.stderr
    assert session.block_text == ""
    assert sorted(bench.workspace.rglob("*")) == before


def test_the_job_is_told_the_thresholds_that_its_preparation_decides_by(bench: Bench) -> None:
    tell = """command=/bin/sh -c 'env >"$CHECKPOINT_PATH.env"; exit 10'"""
    session = bench.run(
        "-q", "--threshold", "audio.min_usable_s=3", "--set", tell, "--set", "env.VOICE_PREPARE_MIN_USABLE_S=1"
    )
    told = dict(
        line.split("=", 1)
        for line in (bench.workspace / "out/checkpoints/voice.pt.env").read_text().splitlines()
        if "=" in line
    )
    assert {name: float(value) for name, value in told.items() if name.startswith("VOICE_PREPARE_")} == {
        "VOICE_PREPARE_MIN_CHANNEL_SPREAD_DB": 6.0,
        "VOICE_PREPARE_MAX_CHANNEL_SPREAD_LOSS_DB": 12.0,
        "VOICE_PREPARE_MAX_CHANNEL_CANCELLATION": 0.15,
        "VOICE_PREPARE_MIN_USABLE_S": 3.0,
        "VOICE_PREPARE_MIN_SPEECH_FRACTION": 0.4,
        "VOICE_PREPARE_MIN_LOUDNESS_LUFS": -45.0,
        "VOICE_PREPARE_MIN_SNR_DB": 10.0,
        "VOICE_PREPARE_MAX_CLIPPING": 0.005,
        "VOICE_PREPARE_SAME_SPEAKER_COSINE": 0.78,
        "VOICE_PREPARE_OTHER_SPEAKER_COSINE": 0.65,
        "VOICE_PREPARE_OTHER_SPEAKER_SHARE": 0.3,
        "VOICE_PREPARE_MIN_SPEAKER_S": 4.0,
        "VOICE_PREPARE_MIN_TRANSCRIBED_S": 40.0,
        "VOICE_PREPARE_MIN_KIND_SHARE": 0.25,
        "VOICE_PREPARE_MIN_BANDWIDTH_HZ": 4500.0,
        "VOICE_PREPARE_MIN_VOICED_SHARE": 0.15,
        "VOICE_PREPARE_MAX_TONAL_PAUSES": 0.4,
        "VOICE_PREPARE_MAX_MEDIAN_F0_HZ": 280.0,
        "VOICE_PREPARE_MAX_NOT_UNDERSTOOD": 0.33,
        "VOICE_PREPARE_MIN_ENGLISH_SHARE": 0.6,
        "VOICE_PREPARE_MIN_TEXT_SHARE": 0.15,
        "VOICE_PREPARE_COMPLETE_TEXT_SHARE": 0.7,
        "VOICE_PREPARE_MIN_TEXT_CONFIDENCE": 0.5,
        "VOICE_PREPARE_MIN_UNSPOKEN_GAIN": 5.0,
        "VOICE_PREPARE_MIN_RECOGNISED_SCORE": -1.2,
        "VOICE_PREPARE_MIN_TRANSCRIPT_CONFIDENCE": 0.1,
        "VOICE_PREPARE_MIN_FITTING_SHARE": 0.5,
        "VOICE_PREPARE_MIN_HELDOUT_UTTERANCES": 2.0,
        "VOICE_PREPARE_MIN_HELDOUT_S": 5.0,
    }
    assert (
        "env.VOICE_PREPARE_MIN_USABLE_S of the objective is not used: the threshold policy decides it"
        in session.report["warnings"]
    )


def test_what_the_objective_changes_in_the_preparation_beside_the_policy_is_warned_of_each_by_name(
    bench: Bench,
) -> None:
    changes = {
        "VOICE_PREPARE_HELD_OUT_MIN_UTTERANCES": "1",
        "VOICE_PREPARE_MIN_UTTERANCE_S": "0.5",
        "VOICE_PREPARE_MAX_UTTERANCE_S": "20",
    }
    session = bench.run(
        "-q",
        *(word for name, value in changes.items() for word in ("--set", f"env.{name}={value}")),
        "--set",
        "env.OTHER=1",
    )
    assert session.block["objective_status"] == "success", session.stdout
    warned = [warning for warning in session.report["warnings"] if "env." in warning]
    assert warned == [
        f"env.{name} of the objective changes the preparation; the policy does not know it" for name in sorted(changes)
    ]
    assert all(warning in session.stdout for warning in warned)
    assert not [warning for warning in bench.run("-q").report["warnings"] if "env." in warning]
