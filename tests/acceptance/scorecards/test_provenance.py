"""Thresholds that were set with other models than those that measured are named, one sentence each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acceptance.policy import Policy
from acceptance.scorecards import provenance
from tests.acceptance.scorecards.evaluations import POLICY, clip, evaluation

PINS = evaluation([clip(1)]).pins


def with_provenance(section: str, **values: object) -> Policy:
    return replace(POLICY, **{section: replace(getattr(POLICY, section), provenance=values)})


@pytest.mark.parametrize(
    ("section", "pin"),
    [("speaker_similarity", "speaker_encoder"), ("speech_realism", "dnsmos_p835"), ("intelligibility", "recogniser"),
     ("intelligibility", "normaliser")],
)  # fmt: skip
def test_thresholds_of_another_model_are_named(section: str, pin: str) -> None:
    assert provenance.notices(PINS, with_provenance(section, **{pin: PINS[pin], "good_clips": 32})) == ()
    (said,) = provenance.notices(PINS, with_provenance(section, **{pin: "0" * 64}))
    assert (
        said
        == f"thresholds of {section} were set with another {pin} (000000000000, measured with {PINS[pin][:12]}): calibrate again"
    )


def test_thresholds_of_unknown_origin_say_nothing() -> None:
    assert provenance.notices(PINS, with_provenance("intelligibility", normaliser=None)) == ()
    assert provenance.notices(PINS, POLICY) == ()


def test_thresholds_without_weight_are_not_asked_about() -> None:
    weights = {"speaker_similarity": 1.0, "speech_realism": 0.0, "intelligibility": 0.0, "signal": 0.0}
    policy = with_provenance("intelligibility", normaliser="0" * 64)
    assert provenance.notices(PINS, replace(policy, scorecard=replace(policy.scorecard, weights=weights))) == ()
