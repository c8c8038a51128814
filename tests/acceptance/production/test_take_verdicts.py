"""Every take goes where the policy's section production says, with a sentence for each reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from acceptance.policy import Policy
from acceptance.production.take_verdicts import JudgedTake, TakeFilter, TakeVerdict
from tests.acceptance.production.made_rows import SIGNAL, failed, row
from trainer.production.takes import TakeRow

RULES: dict[str, Any] = {
    "min_similarity": 0.75, "min_realism": 2.5, "max_wer": 0.3, "reject_wer": 0.8, "max_faults": 0, "min_judged_s": 0.5,
    "min_judged_words": 4, "min_grade": "D",
}  # fmt: skip
APPROVED, REJECTED, QUARANTINE = TakeVerdict


def judged(rows: Iterable[TakeRow], *, best_of: bool = False, **changes: Any) -> list[JudgedTake]:
    policy = Policy(production=replace(Policy().production, **{**RULES, **changes}))
    return list(TakeFilter(policy, "ge2e_cosine", best_of=best_of).judged(rows))


def verdict_of(found: TakeRow, **changes: Any) -> tuple[TakeVerdict, list[str]]:
    (one,) = judged([found], **changes)
    return one.verdict, [reason.kind for reason in one.reasons]


def test_a_good_take_is_approved_without_a_reason() -> None:
    (one,) = judged([row()])
    assert (one.verdict, one.reasons, one.grade, one.best) == (APPROVED, (), "A", True)


@pytest.mark.parametrize(
    ("changes", "kind", "sentence"),
    [
        ({"similarity": 0.71}, "similarity", "similarity 0.71 is below 0.75 (production.min_similarity)"),
        ({"similarity": 0.7493}, "similarity", "similarity 0.749 is below 0.75 (production.min_similarity)"),
        ({"similarity": 0.74996}, "similarity", "similarity 0.74996 is below 0.75 (production.min_similarity)"),
        ({"overall": 2.2}, "realism", "realism 2.20 is below 2.5 (production.min_realism)"),
        ({"word_edits": 8}, "words", "word error rate 0.80 is not below 0.8 (production.reject_wer)"),
        (
            {"signal": replace(SIGNAL, clipping=0.5)},
            "faults",
            "faults of the signal: clipped; more than 0 (production.max_faults)",
        ),
    ],
)
def test_a_take_that_is_worse_than_a_limit_is_rejected_with_the_number_and_the_limit(
    changes: dict[str, Any], kind: str, sentence: str
) -> None:
    (one,) = judged([row(**changes)])
    assert one.verdict is REJECTED and not one.best
    assert (kind, sentence) in [(reason.kind, reason.sentence) for reason in one.reasons]


def test_a_limit_itself_is_good_enough() -> None:
    assert verdict_of(row(similarity=0.75, overall=2.5, word_edits=3))[0] is APPROVED


def test_a_grade_below_the_least_is_rejected() -> None:
    assert verdict_of(row(similarity=0.76, overall=2.6, word_edits=3), min_grade="A") == (REJECTED, ["grade"])


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"seconds": 0.4}, "too_short"),
        ({"word_edits": 5}, "recogniser_unsure"),
        ({"word_edits": 2, "words": 3}, "few_words"),
        ({"word_edits": 3, "words": 3}, "few_words"),
    ],
)
def test_what_could_not_be_judged_goes_into_quarantine(changes: dict[str, Any], kind: str) -> None:
    verdict, kinds = verdict_of(row(**changes))
    assert verdict is QUARANTINE and kinds[0] == kind


def test_what_could_not_be_judged_is_not_rejected_for_other_reasons() -> None:
    verdict, kinds = verdict_of(row(seconds=0.4, similarity=0.2))
    assert verdict is QUARANTINE and kinds[:2] == ["too_short", "similarity"]


def test_an_error_is_quarantine_with_its_cause_and_no_score() -> None:
    (one,) = judged([failed(cause="not_judged", message="the recogniser broke")])
    assert (one.verdict, one.score, one.grade) == (QUARANTINE, None, None)
    assert [(reason.kind, reason.sentence) for reason in one.reasons] == [
        ("not_judged", "not judged: the recogniser broke [not_judged]")
    ]


def test_the_best_take_of_a_prompt_is_the_approved_one_with_the_highest_score() -> None:
    rows = [row("a", 1, similarity=0.8), row("a", 2, similarity=0.9), row("a", 3, similarity=0.5), row("b", 1)]
    found = judged(rows)
    assert [(one.row.id, one.row.take) for one in found if one.best] == [("a", 2), ("b", 1)]
    assert [one.verdict for one in found] == [APPROVED, APPROVED, REJECTED, APPROVED]


def test_of_equal_takes_the_lowest_is_the_best() -> None:
    assert [one.best for one in judged([row("a", 1), row("a", 2)])] == [True, False]


def test_best_of_rejects_the_other_approved_takes_and_says_which_is_better() -> None:
    rows = [row("a", 1, similarity=0.8), row("a", 2), row("a", 3, similarity=0.5), failed("a", 4)]
    found = judged(rows, best_of=True)
    assert [one.verdict for one in found] == [REJECTED, APPROVED, REJECTED, QUARANTINE]
    assert [reason.sentence for reason in found[0].reasons] == ["a better take exists: t2"]
    assert [reason.kind for reason in found[2].reasons] == ["similarity"]
