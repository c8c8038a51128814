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

from acceptance import policy as policies
from acceptance.calibration import spread
from acceptance.policy import Policy
from acceptance.scorecards.comparison import Recommendation, compare
from acceptance.scorecards.runs import Run
from tests.acceptance.scorecards.evaluations import POLICY, clip, run

pytestmark = pytest.mark.long

ROWS = json.loads(Path(__file__).with_name("real_runs.json").read_text(encoding="utf-8"))


def voice(name: str, *, similarity: float = 0.0) -> Run:
    """A real voice, or what it would be with this much more similarity."""
    clips = [
        replace(clip(number, similarity=found + similarity, overall=overall, word_edits=edits, audio=name), words=words)
        for number, (found, overall, edits, words) in enumerate(ROWS[name])
    ]
    return run(clips, f"{name}, changed" if similarity else name)


LONGEST, LONG, SHORT = (
    [name for name in ROWS if name.startswith(steps)] for steps in ("600 steps", "360 steps", "120 steps")
)


DELIVERED = policies.load()


@pytest.fixture(params=[POLICY, DELIVERED], ids=["built-in", "delivered"])
def policy(request: pytest.FixtureRequest) -> Policy:
    return request.param


@pytest.mark.parametrize(
    ("a", "b"), [pair for seeds in (LONGEST, LONG, SHORT) for pair in itertools.permutations(seeds, 2)]
)
def test_two_seeds_of_one_recipe_cannot_be_told_apart(a: str, b: str, policy: Policy) -> None:
    assert compare(voice(a), voice(b), policy).recommendation is Recommendation.CANNOT_TELL


@pytest.mark.parametrize("name", [*LONGEST, *LONG, *SHORT])
def test_a_full_training_is_promoted_over_one_of_ten_steps_for_its_similarity_and_realism(
    name: str, policy: Policy
) -> None:
    found = compare(voice("10 steps, seed 0"), voice(name), policy)
    assert found.recommendation is Recommendation.PROMOTE
    assert {part for part, metric in found.metrics.items() if metric.better == 1} == {
        "speaker_similarity",
        "speech_realism",
    }
    assert "is speaker_similarity, +" in found.reasons[-1]
    back = compare(voice(name), voice("10 steps, seed 0"), policy)
    assert back.recommendation is Recommendation.HOLD
    assert "speaker_similarity fails" in " ".join(back.reasons)


@pytest.mark.parametrize(("short", "long"), [*itertools.product(SHORT, LONG)])
def test_three_times_the_steps_are_called_better_only_beyond_the_spread_of_seeds(
    short: str, long: str, policy: Policy
) -> None:
    found = compare(voice(short), voice(long), policy)
    assert found.metrics["speaker_similarity"].better == 1  # by the prompts alone it would always be
    beyond = found.score_b - found.score_a >= policy.scorecard.min_difference
    assert found.recommendation is (
        Recommendation.PROMOTE if beyond and found.score.low > 0 else Recommendation.CANNOT_TELL
    )


def test_most_seeds_of_three_times_the_steps_cannot_be_told_from_the_shorter_training(policy: Policy) -> None:
    answers = [
        compare(voice(short), voice(long), policy).recommendation for short, long in itertools.product(SHORT, LONG)
    ]
    assert answers.count(Recommendation.CANNOT_TELL) >= 6


@pytest.mark.parametrize("name", [*LONGEST, *LONG, *SHORT])
@pytest.mark.parametrize(("part", "answer"), [(0.9, Recommendation.CANNOT_TELL), (1.1, Recommendation.PROMOTE)])
def test_what_prompts_alone_would_decide_is_not_told_within_the_spread_of_runs(
    name: str, part: float, answer: Recommendation, policy: Policy
) -> None:
    """The same real utterances, each nearer to the speaker by one constant, worth `part` of the least difference."""
    similar = policy.speaker_similarity
    points = part * policy.scorecard.min_difference
    step = points * (similar.ceiling - similar.floor) / (100.0 * policy.scorecard.weights["speaker_similarity"])
    found = compare(voice(name, similarity=-step), voice(name), policy)
    assert found.score.value == pytest.approx(points, abs=0.05)
    assert found.score.low > 0.0
    assert found.recommendation is answer
    assert ("scorecard.min_difference" in found.reasons[1]) and ("may differ by as much" in found.reasons[1]) == (
        part < 1.0
    )


def test_the_spread_of_the_seeds_calibrates_the_least_difference() -> None:
    scores = [voice(name).score for name in LONG]
    assert spread.measure([scores], confidence=0.95).least_difference == 1.6
