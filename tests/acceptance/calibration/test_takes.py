"""The numbers of one take follow from a batch and real clips, by a formula that the policy's provenance can be held to."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from acceptance.calibration import takes
from acceptance.cli.main import voice
from acceptance.failure import HarnessError
from acceptance.guardrails import policy_calibrated
from acceptance.policy import THRESHOLDS, implied, loading
from tests.trainer.production import batches
from trainer.errors import DataError
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.prompts import Item

MEASURED = {
    "method": implied.PER_CLIP, "real_p1_similarity": 0.82, "batch_p5_similarity": 0.79, "real_p1_realism": 2.4, "batch_p5_realism": 2.6,
    "real_p90_wer": 0.44, "real_max_wer": 0.8,
}  # fmt: skip


def test_a_take_must_be_worse_than_real_clips_and_the_batch_to_be_an_outlier() -> None:
    assert implied.per_clip(MEASURED) == {
        "min_similarity": 0.79, "min_realism": 2.4, "max_wer": 0.44, "reject_wer": 0.8,
    }  # fmt: skip


def test_without_the_method_a_provenance_gives_no_number_and_without_a_number_it_is_incomplete() -> None:
    assert implied.per_clip({**MEASURED, "method": "by ear"}) is None
    for name in MEASURED.keys() - {"method"}:
        with pytest.raises(implied.Incomplete, match=name):
            implied.per_clip({key: value for key, value in MEASURED.items() if key != name})


def test_the_guardrail_finds_a_number_that_the_provenance_does_not_give(tmp_path: Path) -> None:
    delivered = THRESHOLDS.read_text(encoding="utf-8")
    number = loading.load().production.min_similarity
    path = tmp_path / "rules.yaml"
    path.write_text(delivered.replace(f"  min_similarity: {number}\n", "  min_similarity: 0.5\n"), encoding="utf-8")
    found = policy_calibrated.findings(loading.load(path), path)
    assert [finding.problem for finding in found if "production.min_similarity = 0.5, but" in finding.problem]


def test_a_batch_that_is_not_whole_or_too_small_gives_no_numbers(tmp_path: Path) -> None:
    batches.make(tmp_path)
    with pytest.raises(DataError, match="shard 1 of 1") as refused:
        takes.proposed(tmp_path, [Item(id="a", path=tmp_path / "a.wav")], SignalLimits(), processes=1)
    assert refused.value.cause == "shard_missing"
    with pytest.raises(HarnessError, match="3 real clips are too few") as thin:
        takes.require(3, takes.LEAST_REAL, "real clips")
    assert thin.value.cause == "evidence_too_thin"


@pytest.mark.parametrize(
    "words",
    [["--production", "."], ["--production", ".", "--reference", ".", "--without-texts"], ["--reference", "."]],
)
def test_a_batch_is_calibrated_with_real_clips_and_their_texts(words: list[str]) -> None:
    found = CliRunner().invoke(voice, ["calibrate", *words])
    assert found.exit_code == 2 and "--reference" in found.output
