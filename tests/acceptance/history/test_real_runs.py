"""What real trainings give: seeds of one recipe cannot be told apart, a training that was cut short can, and the reasons say why.

real_runs.json holds similarity, DNSMOS overall, word errors and words of 40 spoken sentences for each of ten voices: one human reader (LJSpeech),
one base, adapted for 600, 360 and 120 acoustic steps (three seeds each) and for 10.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.calibration import spread
from acceptance.history.comparison import Recommendation, compare
from acceptance.history.runs import Run
from tests.acceptance.history.evaluations import POLICY, clip, run

ROWS = json.loads(Path(__file__).with_name("real_runs.json").read_text(encoding="utf-8"))


def voice(name: str) -> Run:
    clips = [
        replace(clip(number, similarity=similarity, overall=overall, word_edits=edits, audio=name), words=words)
        for number, (similarity, overall, edits, words) in enumerate(ROWS[name])
    ]
    return run(clips, name)


LONGEST, LONG, SHORT = ([name for name in ROWS if name.startswith(steps)] for steps in ("600 steps", "360 steps", "120 steps"))


@pytest.mark.parametrize(("a", "b"), [pair for seeds in (LONGEST, LONG, SHORT) for pair in itertools.permutations(seeds, 2)])
def test_two_seeds_of_one_recipe_cannot_be_told_apart(a: str, b: str) -> None:
    assert compare(voice(a), voice(b), POLICY).recommendation is Recommendation.CANNOT_TELL


@pytest.mark.parametrize("name", [*LONGEST, *LONG, *SHORT])
def test_a_full_training_is_promoted_over_one_of_ten_steps_for_its_similarity_and_realism(name: str) -> None:
    found = compare(voice("10 steps, seed 0"), voice(name), POLICY)
    assert found.recommendation is Recommendation.PROMOTE
    assert {part for part, metric in found.metrics.items() if metric.better == 1} == {"speaker_similarity", "speech_realism"}
    assert "is speaker_similarity, +4." in found.reasons[-1]
    back = compare(voice(name), voice("10 steps, seed 0"), POLICY)
    assert back.recommendation is Recommendation.HOLD
    assert "grade C is below B (scorecard.promotion_minimum_grade), speaker_similarity fails" in " ".join(back.reasons)


@pytest.mark.parametrize(("short", "long"), [*itertools.product(SHORT, LONG)])
def test_three_times_the_steps_are_not_called_better_for_one_measure_that_prompts_alone_would_decide(short: str, long: str) -> None:
    found = compare(voice(short), voice(long), POLICY)
    assert found.metrics["speaker_similarity"].better == 1
    assert found.recommendation is Recommendation.CANNOT_TELL


def test_the_spread_of_the_seeds_calibrates_the_least_difference() -> None:
    scores = [voice(name).score for name in LONG]
    assert spread.least_difference(scores, confidence=0.95) == 1.6
