"""`voice scorecard`: its exit status is the answer, its record is in the history, and its errors say what to do."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acceptance.cli.main import voice
from acceptance.scorecards import runs
from tests.acceptance.scorecards.evaluations import (
    CHECKPOINT_SHA256,
    KNOWN,
    MANIFEST,
    clip,
    evaluation,
    policy_file,
    write,
)
from tests.acceptance.scorecards.makings import LEARNED, accepted_run, checkpoint_file, sha256


@pytest.fixture(autouse=True)
def policy(tmp_path: Path) -> Path:
    return policy_file(tmp_path)


def invoke(evaluation: Path, *words: object) -> Result:
    return CliRunner().invoke(
        voice, ["scorecard", str(evaluation), "--policy", str(evaluation.with_name("defaults.yaml")), *map(str, words)]
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """An evaluation whose worst clip is the second of three, of a voice that a run of the workspace made."""
    accepted_run(tmp_path, CHECKPOINT_SHA256, MANIFEST[1], "20260102T030405Z-000001")
    return write(
        tmp_path / "evaluation.json",
        evaluation([clip(1), clip(2, similarity=0.7, faults=["clipped"], prompt="a|b"), clip(3)], **KNOWN),
    )


LENIENT = ("--threshold", "production.max_rejected_share=0.5")


def test_the_program_scores_prints_and_remembers(tmp_path: Path, good: Path, policy: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "acceptance.cli", "scorecard", good, "--run", "first", "--workspace", tmp_path, "--note", "a try",
         "--policy", policy, *LENIENT],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("# Scorecard of first: ")
    assert "May be promoted: yes, as far as it was measured." in found.stdout
    assert "Not judged: whether a listener finds it natural" in found.stdout
    (run,) = runs.load(tmp_path / runs.HISTORY).runs
    assert (run.run_id, run.note, run.evaluation_sha256) == (
        "first",
        "a try",
        hashlib.sha256(good.read_bytes()).hexdigest(),
    )


def test_the_worst_utterance_stands_first_by_its_file_and_cannot_break_its_table(tmp_path: Path, good: Path) -> None:
    text = invoke(good, "--workspace", tmp_path, "--worst", 2).output
    table = text[text.index("## Utterances, the worst first (2 of 3)") :].splitlines()
    assert table[4].startswith("| 002.wav |") and table[4].endswith("| clipped | a\\|b                       |")
    assert sum(line.startswith("| 0") for line in table) == 2


def test_the_parts_stand_in_one_order_however_often_it_is_scored(tmp_path: Path, good: Path) -> None:
    tables = [
        [
            line
            for line in invoke(good, "--workspace", tmp_path).output.splitlines()
            if line.startswith("| s") or "| wer" in line
        ]
        for _ in "ab"
    ]
    assert len(tables[0]) >= 4 and tables[0] == tables[1]


def test_it_says_on_whose_speech_the_scale_was_set(tmp_path: Path, good: Path) -> None:
    delivered = CliRunner().invoke(voice, ["scorecard", str(good), "--workspace", str(tmp_path), "--json"])
    scale = json.loads(delivered.stdout)["scale"]
    assert (
        "intelligibility: no points at 0.897 (32 clips: " in scale[2]
        and "all at 0.251 (32 clips: real clips of the target" in scale[2]
    )
    assert scale[0].startswith(
        "speaker_similarity: no points at 0.544 (251 clips: clips of other people), all at 0.892"
    )
    assert scale[-1].startswith(
        "The real clips are one reader's: for another voice, room or microphone neither points nor grades are calibrated"
    )
    assert "Calibrated on no clips: these are the built-in values" in invoke(good, "--workspace", tmp_path).output


def test_json_is_the_record_and_says_whether_the_voice_may_be_promoted(tmp_path: Path, good: Path) -> None:
    found = invoke(good, "--workspace", tmp_path, "--json")
    document = json.loads(found.stdout)
    assert found.exit_code == 1
    assert document.pop("promotable") is False
    fails, rejects = document.pop("refusals")
    assert fails == "signal fails" and rejects.startswith(
        "a production would reject 1 of 3 utterances (33.3 %: 1 with a fault, "
    )
    assert document.pop("notices") == []
    assert document.pop("already_recorded_as") is None
    assert document.pop("scale") and document.pop("not_judged")
    assert document["rejected"] == {"faulty": 1, "below_grade": 0, "utterances": 1, "share": 0.333333}
    assert [document] == [json.loads(line) for line in (tmp_path / runs.HISTORY).read_bytes().splitlines()]
    assert document["schema"] == "scorecard/3" and document["run_id"] == "20260102T030405Z-000001"


def test_a_voice_below_the_minimum_ends_with_1_and_is_remembered_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "evaluation.json", evaluation([clip(1, similarity=0.6, overall=2.0)]))
    found = invoke(path, "--workspace", tmp_path)
    assert found.exit_code == 1
    assert (
        "May be promoted: no: grade D is below B (scorecard.promotion_minimum_grade), speaker_similarity fails"
        in found.output
    )
    assert len(runs.load(tmp_path / runs.HISTORY).runs) == 1


def test_a_voice_of_unknown_origin_is_graded_and_not_promoted_until_it_is_recorded(
    tmp_path: Path, small_manifest: Path
) -> None:
    path = write(tmp_path / "evaluation.json", evaluation([clip(1)]))
    found = invoke(path, "--workspace", tmp_path)
    assert found.exit_code == 1
    assert "grade A" in found.output and "- checkpoint: unknown\n- dataset: unknown" in found.output
    assert "May be promoted: no: checkpoint and dataset unknown (scorecard.require_origin; " in found.output
    assert invoke(path, "--workspace", tmp_path, "--threshold", "scorecard.require_origin=false").exit_code == 0
    checkpoint_file(tmp_path / "voice.pt", sha256(small_manifest))
    files = ("--checkpoint", tmp_path / "voice.pt", "--manifest", small_manifest)
    claimed = invoke(path, "--workspace", tmp_path, *files)
    assert (
        claimed.exit_code == 1
        and "spoke the clips is claimed, not recorded" in claimed.output
        and "voice say --lines" in claimed.output
    )
    write(path, evaluation([clip(1)], checkpoint_sha256=sha256(tmp_path / "voice.pt")))
    named = json.loads(invoke(path, "--workspace", tmp_path, *files, "--json").stdout)
    assert named["promotable"] and named["notices"][0].startswith("no acceptance run of this checkpoint is known here")


def test_files_that_are_no_voice_and_no_dataset_are_no_origin(tmp_path: Path, small_manifest: Path) -> None:
    path = write(tmp_path / "evaluation.json", evaluation([clip(1)]))
    (tmp_path / "README.md").write_text("# A project")
    for wrong, cause in (("checkpoint", "checkpoint_invalid"), ("manifest", "manifest_invalid")):
        found = json.loads(invoke(path, "--workspace", tmp_path, f"--{wrong}", tmp_path / "README.md", "--json").stdout)
        assert found["cause"] == cause
    checkpoint_file(tmp_path / "voice.pt", "e" * 64)
    files = ("--checkpoint", tmp_path / "voice.pt", "--manifest", small_manifest)
    assert json.loads(invoke(path, "--workspace", tmp_path, *files, "--json").stdout)["cause"] == "artifact_mismatch"
    assert not (tmp_path / runs.HISTORY).exists()


def test_a_voice_whose_run_was_blocked_is_not_promoted_even_where_its_files_are_named(
    tmp_path: Path, small_manifest: Path
) -> None:
    digest = checkpoint_file(tmp_path / "voice.pt", sha256(small_manifest))
    accepted_run(tmp_path, digest, sha256(small_manifest), "20260102T030405Z-000001", blocked_at=LEARNED)
    path = write(tmp_path / "evaluation.json", evaluation([clip(1)], checkpoint_sha256=digest))
    found = invoke(path, "--workspace", tmp_path, "--checkpoint", tmp_path / "voice.pt", "--manifest", small_manifest)
    assert found.exit_code == 1 and f"20260102T030405Z-000001, was blocked at {LEARNED}" in found.output
    assert f"made by: acceptance run 20260102T030405Z-000001, blocked at {LEARNED}" in found.output


def test_a_licence_that_forbids_it_keeps_a_voice_from_promotion(tmp_path: Path, small_manifest: Path) -> None:
    path = write(tmp_path / "evaluation.json", evaluation([clip(1)]))
    checkpoint_file(
        tmp_path / "voice.pt", sha256(small_manifest), licence={"spdx": "CC-BY-NC-4.0", "promotable": False}
    )
    found = invoke(path, "--workspace", tmp_path, "--checkpoint", tmp_path / "voice.pt", "--manifest", small_manifest)
    assert found.exit_code == 1 and "May be promoted: no: its licence, CC-BY-NC-4.0, forbids it" in found.output


def test_limits_of_the_command_line_judge_the_signal_again_and_that_is_said(tmp_path: Path, good: Path) -> None:
    found = json.loads(invoke(good, "--workspace", tmp_path, "--json", "--threshold", "audio.max_clipping=0.1").stdout)
    assert [row["faults"] for row in found["rows"]] == [[], [], []]
    assert found["notices"] == [
        "1 of 3 clips have other faults by the policy's limits (audio) than by those of their evaluation"
    ]
    assert found["metrics"]["signal"]["value"] == 1.0 and found["promotable"]


def test_the_share_that_a_production_would_reject_is_shown(tmp_path: Path, good: Path) -> None:
    text = invoke(good, "--workspace", tmp_path, *LENIENT, "--threshold", "production.min_grade=A").output
    assert (
        "A production would reject 1 of 3 utterances (33.3 %: 1 with a fault, 1 below production.min_grade A; " in text
    )


def test_thresholds_of_another_model_are_named(tmp_path: Path, good: Path, policy: Path) -> None:
    policy.write_text(f"intelligibility: {{provenance: {{normaliser: '{'0' * 64}'}}}}\n", encoding="utf-8")
    assert (
        "notice: thresholds of intelligibility were set with another normaliser (000000000000, "
        in invoke(good, "--workspace", tmp_path).output
    )


def test_a_threshold_of_the_command_line_changes_the_grade(tmp_path: Path, good: Path) -> None:
    strict = json.loads(invoke(good, "--workspace", tmp_path, "--json", "--threshold", "scorecard.grades.A=99").stdout)
    usual = json.loads(invoke(good, "--workspace", tmp_path, "--json").stdout)
    assert strict["score"] == usual["score"]
    assert strict["policy_sha256"] != usual["policy_sha256"]


@pytest.mark.parametrize(
    ("content", "options", "cause"),
    [
        (b"{}", (), "evaluation_invalid"),
        (None, (), "evaluation_invalid"),
        ("good", ("--run", "no id"), "settings_invalid"),
        ("good", ("--checkpoint", "nowhere.pt"), "artifact_missing"),
        ("good", ("--threshold", "scorecard.grades.A=nonsense"), "policy_invalid"),
        ("good", ("--threshold", "speaker_similarity.metric=another"), "evaluation_incomplete"),
    ],
)
def test_what_cannot_be_scored_ends_with_2_and_leaves_no_record(
    tmp_path: Path, good: Path, content, options, cause: str
) -> None:
    path = good if content == "good" else tmp_path / "bad.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    found = invoke(path, "--workspace", tmp_path, "--json", *options)
    assert found.exit_code == 2
    assert json.loads(found.stdout)["cause"] == cause
    assert not (tmp_path / runs.HISTORY).exists()


def test_a_checkpoint_that_was_not_evaluated_is_refused(tmp_path: Path) -> None:
    (tmp_path / "voice.pt").write_bytes(b"another voice")
    path = write(tmp_path / "evaluation.json", evaluation([clip(1)], checkpoint_sha256="1" * 64))
    found = invoke(path, "--workspace", tmp_path, "--checkpoint", tmp_path / "voice.pt")
    assert found.exit_code == 2 and "[artifact_mismatch]" in found.stderr
    assert not (tmp_path / runs.HISTORY).exists()


def test_the_same_record_again_is_not_appended_and_has_the_same_answer(tmp_path: Path, good: Path) -> None:
    assert invoke(good, "--run", "one", "--workspace", tmp_path, *LENIENT, "--note", "a try").exit_code == 0
    before = (tmp_path / runs.HISTORY).read_bytes()
    (standing,) = runs.load(tmp_path / runs.HISTORY).runs
    again = invoke(good, "--run", "one", "--workspace", tmp_path, *LENIENT)
    assert again.exit_code == 0
    history = tmp_path / runs.HISTORY
    assert f"Already recorded as one ({standing.created}) in {history}: nothing was appended." in " ".join(
        again.output.split()
    )
    document = json.loads(invoke(good, "--run", "one", "--workspace", tmp_path, *LENIENT, "--json").stdout)
    assert document["already_recorded_as"] == f"one ({standing.created})" and document["note"] == "a try"
    assert history.read_bytes() == before


def test_a_voice_that_may_not_be_promoted_is_not_by_being_scored_twice(tmp_path: Path, good: Path) -> None:
    first, second = (invoke(good, "--workspace", tmp_path) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (1, 1) and "Already recorded as 20260102T" in second.output


@pytest.mark.parametrize(
    "words",
    [("--run", "two"), ("--note", "another"), ("--threshold", "scorecard.grades.A=99"), ("--manifest", "m.json")],
)
def test_a_record_that_says_anything_else_is_appended(
    tmp_path: Path, words: tuple[str, str], small_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.json").write_bytes(small_manifest.read_bytes())
    path = write(tmp_path / "evaluation.json", evaluation([clip(1)]))
    invoke(path, "--run", "one", "--workspace", tmp_path)
    found = json.loads(invoke(path, "--run", "one", "--workspace", tmp_path, "--json", *words).stdout)
    assert found["already_recorded_as"] is None and len(runs.load(tmp_path / runs.HISTORY).runs) == 2


def test_of_two_processes_that_score_the_same_at_once_one_appends(tmp_path: Path, good: Path, policy: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "acceptance.cli",
        "scorecard",
        good,
        "--run",
        "one",
        "--workspace",
        tmp_path,
        "--policy",
        policy,
        "--json",
    ]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [json.loads(process.communicate(timeout=60)[0])["already_recorded_as"] for process in both]
    (standing,) = runs.load(tmp_path / runs.HISTORY).runs
    assert set(said) == {None, f"one ({standing.created})"}


def test_the_same_scorecard_prints_its_parts_in_the_same_order_again(tmp_path: Path, good: Path) -> None:
    first, again = (
        invoke(good, "--run", "one", "--workspace", tmp_path).stdout.partition("\n\nA production")[0] for _ in range(2)
    )
    assert first == again and first.index("speaker_similarity") < first.index("speech_realism") < first.index("signal")
