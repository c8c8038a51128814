"""The policy is complete, valid and calibrated, or the guardrail says what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance import policy
from acceptance.guardrails import StoredRuns, learning_margins, policy_calibrated, policy_complete
from acceptance.policy import implied
from acceptance.scorecards import provenance
from trainer.evaluation import normaliser, realism
from trainer.models import speaker_encoder
from trainer.preparation.recognisers import pocketsphinx

SCORECARD = (
    "min_difference: 3.3\n  provenance: {runs: 3, largest_seen: 1.026, standard_deviation: 0.526, confidence: 0.95}\n"
)
CALIBRATED = f"""
speaker_similarity:
  pass: 0.749
  warn: 0.821
  floor: 0.544
  ceiling: 0.892
  provenance:
    method: {implied.HALFWAY}
    good_p5: 0.821
    good_median: 0.892
    bad_p99: 0.677
    bad_median: 0.544
speech_realism:
  pass: 2.44
  warn: 2.83 # at good p5
  floor: 1.88
  ceiling: 3.33
  provenance:
    method: {implied.HALFWAY}
    good_p5: 2.83
    good_median: 3.33
    bad_p99: 2.04
    bad_median: 1.88
intelligibility:
  pass: 0.298
  warn: 0.251
  floor: 0.897
  ceiling: 0.251
  provenance:
    method: {implied.AS_REAL_SPEECH}
    good_p95: 0.298
    good_median: 0.251
    bad_p1: 0.869
    bad_median: 0.897
scorecard:
  min_difference: 3.3
  provenance:
    runs: 3
    standard_deviation: 0.526
    largest_seen: 1.026
    confidence: 0.95
"""


def complete(path: Path, *overrides: str) -> list[str]:
    return [str(found) for found in policy_complete.findings(lambda: policy.load(path, overrides), path)]


def test_the_projects_own_policy_is_complete() -> None:
    assert complete(policy.THRESHOLDS) == []


def test_a_policy_that_is_missing_broken_or_silent_about_a_key_is_not_complete(tmp_path: Path) -> None:
    file = tmp_path / "thresholds.yaml"
    assert "does not exist" in complete(file)[0]
    file.write_text("learning:\n  min_improvment: 0.1\n")
    assert "min_improvment: unknown" in complete(file)[0]
    text = policy.THRESHOLDS.read_text(encoding="utf-8")
    file.write_text(text.replace("  min_control_gap: 0.05\n", ""))
    assert complete(file) == [
        "learning.min_control_gap: the policy file does not say it; the built-in default is in force"
    ]


def test_a_blocking_guardrail_that_does_not_exist_is_named() -> None:
    (found,) = complete(policy.THRESHOLDS, "guardrails.blocking=[freshness, freshnes]")
    assert "guardrails.blocking: there is no guardrail called freshnes; " in found


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        ("learning:\n  min_improvement: 0.07\n", False),
        ("learning:\n  min_improvement: 0.07 # measured on three seeds\n", True),
        ("learning:\n  # measured on three seeds\n  min_improvement: 0.07\n", True),
        ("# all of it was measured\nlearning:\n  min_improvement: 0.07\n", True),
        ("learning:\n  # of the gap\n  min_control_gap: 0.1\n  min_improvement: 0.07\n", False),
        ("scorecard:\n  grades: # least score\n    A: 91\n", True),
        ("scorecard:\n  grades:\n    A: 91\n", False),
        ("speech_realism:\n  pass: 2.4\n  provenance: {human_clips: 40}\n", False),
        ("speech_realism:\n  pass: 2.4 # of 40\n  provenance: {human_clips: 40}\n", True),
        ("speech_realism:\n  pass: 2.4\n  provenance: {}\n", False),
        ("# what a voice must reach\nspeech_realism:\n  pass: 2.4\n", False),
        ("speech_realism:\n  pass: 2.4 # the worst of 40 human clips\n", True),
    ],
)
def test_a_number_needs_a_comment_or_provenance(tmp_path: Path, text: str, explained: bool) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    found = policy_calibrated.findings(policy.load(file), file)
    assert (found == []) is explained
    assert explained or found[0].where.startswith("mine.yaml:")


@pytest.mark.parametrize(
    ("was", "now", "gives"),
    [
        ("pass: 0.749", "pass: 0.60", "speaker_similarity.pass = 0.6, but its provenance gives 0.749; calibrate again"),
        ("warn: 0.821", "warn: 0.83", "speaker_similarity.warn = 0.83, but its provenance gives 0.821"),
        ("floor: 0.544", "floor: -0.9", "speaker_similarity.floor = -0.9, but its provenance gives 0.544"),
        ("ceiling: 0.892", "ceiling: 0.95", "speaker_similarity.ceiling = 0.95, but its provenance gives 0.892"),
        ("ceiling: 3.33", "ceiling: 2.6", None),
        ("pass: 2.44", "pass: 2.43", "speech_realism.pass = 2.43, but its provenance gives 2.44"),
        ("good_p5: 2.83", "good_p5: 2.81", "speech_realism.pass = 2.44, but its provenance gives 2.42"),
        ("pass: 0.298", "pass: 0.35", "intelligibility.pass = 0.35, but its provenance gives 0.298"),
        ("warn: 0.251", "warn: 0.27", "intelligibility.warn = 0.27, but its provenance gives 0.251"),
        ("floor: 0.897", "floor: 5.0", "intelligibility.floor = 5.0, but its provenance gives 0.897"),
        (
            "    bad_median: 0.897\n",
            "",
            "intelligibility.provenance does not hold what its numbers would come from: it says no bad_median",
        ),
        (
            "    bad_p1: 0.869\n",
            "",
            "intelligibility.provenance does not hold what its numbers would come from: it says no bad_p1",
        ),
        ("min_difference: 3.3", "min_difference: 1.0", "scorecard.min_difference = 1.0, but its provenance gives 3.3"),
        ("min_difference: 3.3", "min_difference: 3.2", "scorecard.min_difference = 3.2, but its provenance gives 3.3"),
        (
            "    largest_seen: 1.026\n",
            "",
            "scorecard.provenance does not hold what its numbers would come from: it says no largest_seen",
        ),
        (
            "    runs: 3\n",
            "    runs: 3\n    recipes: 3\n",
            "scorecard.provenance does not hold what its numbers would come from: it has 3 runs of 3",
        ),
    ],
)
def test_a_number_changed_by_hand_beside_its_provenance_is_found(
    tmp_path: Path, was: str, now: str, gives: str | None
) -> None:
    file = tmp_path / "thresholds.yaml"
    file.write_text(CALIBRATED)
    assert policy_calibrated.findings(policy.load(file), file) == []
    assert CALIBRATED.count(was) == 1
    file.write_text(CALIBRATED.replace(was, now))
    try:
        found = [str(each) for each in policy_calibrated.findings(policy.load(file), file)]
    except policy.PolicyError:
        assert gives is None  # what no order of thresholds allows never comes so far
        return
    assert found[0].partition(": ")[2].startswith(gives)


@pytest.mark.parametrize(
    "key", ["grades: {A: 91}", "weights: {signal: 0.1}", "min_common_prompts: 20", "confidence: 0.9"]
)
def test_the_provenance_of_the_least_difference_explains_no_other_number_of_the_scorecard(
    tmp_path: Path, key: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"scorecard:\n  {key}\n  {SCORECARD}")
    assert [each.where for each in policy_calibrated.findings(policy.load(file), file)] == ["mine.yaml:2"]


def test_the_projects_own_policy_holds_what_its_provenance_gives() -> None:
    assert policy_calibrated.findings(policy.load(), policy.THRESHOLDS) == []


def test_the_projects_own_policy_was_calibrated_with_the_instruments_that_measure() -> None:
    delivered = policy.load()
    pins = {
        "speaker_encoder": speaker_encoder.WEIGHTS_SHA256, "dnsmos_p835": realism.P835_SHA256, "dnsmos_p808": realism.P808_SHA256,
        "recogniser": pocketsphinx.MODEL_SHA256, "normaliser": normaliser.sha256(),
    }  # fmt: skip
    assert provenance.notices(pins, delivered) == (), "calibrate again: voice calibrate --reference ... --impostors ..."


def test_a_policy_that_is_a_folder_is_named_in_the_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert complete(Path())[0].startswith(".: .: ")


@pytest.mark.parametrize("key", ["min_improvement", "min_control_gap"])
def test_a_margin_of_nothing_is_found_without_any_run(tmp_path: Path, key: str) -> None:
    sections = policy.load(None, [f"learning.{key}=0"])
    assert [found.where for found in learning_margins.findings(sections.learning, StoredRuns(tmp_path))] == [
        f"learning.{key}"
    ]
    assert learning_margins.findings(policy.load().learning, StoredRuns(tmp_path)) == []
