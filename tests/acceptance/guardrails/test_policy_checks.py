"""The policy is complete, valid and calibrated, or the guardrail says what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance import policy
from acceptance.guardrails import StoredRuns, learning_margins, policy_calibrated, policy_complete

NAMES = ("freshness", "context_budget")


def complete(path: Path, *overrides: str) -> list[str]:
    return [str(found) for found in policy_complete.findings(path, overrides, NAMES)]


def test_the_projects_own_policy_is_complete() -> None:
    assert complete(policy.THRESHOLDS) == []


def test_a_policy_that_is_missing_broken_or_silent_about_a_key_is_not_complete(tmp_path: Path) -> None:
    file = tmp_path / "thresholds.yaml"
    assert "does not exist" in complete(file)[0]
    file.write_text("learning:\n  min_improvment: 0.1\n")
    assert "min_improvment: unknown" in complete(file)[0]
    text = policy.THRESHOLDS.read_text(encoding="utf-8")
    file.write_text(text.replace("  min_control_gap: 0.05\n", ""))
    assert complete(file) == ["learning.min_control_gap: the policy file does not say it; the built-in default is in force"]


def test_a_blocking_guardrail_that_does_not_exist_is_named() -> None:
    assert complete(policy.THRESHOLDS, "guardrails.blocking=[freshness, freshnes]") == [
        "guardrails.blocking: there is no guardrail called freshnes"
    ]


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
        ("speech_realism:\n  pass: 2.4\n  provenance: {human_clips: 40}\n", True),
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


@pytest.mark.parametrize("key", ["min_improvement", "min_control_gap"])
def test_a_margin_of_nothing_is_found_without_any_run(tmp_path: Path, key: str) -> None:
    sections = policy.load(None, [f"learning.{key}=0"])
    assert [found.where for found in learning_margins.findings(sections.learning, StoredRuns(tmp_path))] == [f"learning.{key}"]
    assert learning_margins.findings(policy.load().learning, StoredRuns(tmp_path)) == []
