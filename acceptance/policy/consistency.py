"""What the values of a policy must be to each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from acceptance.policy.sections import MetricPolicy, Sections
from acceptance.steps import GUARDRAILS

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Values that do not fit together."""

    keys: tuple[str, ...]
    problem: str
    next_step: str


def problems(policy: Sections) -> Iterator[Problem]:
    """All that is wrong, most basic first."""
    for section, better in (("speaker_similarity", 1), ("speech_realism", 1), ("intelligibility", -1)):
        yield from _metric(section, getattr(policy, section), better)
    yield from _scorecard(policy)
    for name in policy.guardrails.blocking:
        if name not in {step.check for step in GUARDRAILS}:
            yield Problem(
                keys=("guardrails.blocking",),
                problem=f"there is no guardrail called {name}",
                next_step="see which there are: pytest acceptance -k guardrails --collect-only -q",
            )
    if policy.production.max_wer > policy.production.reject_wer:
        yield Problem(
            keys=("production.max_wer", "production.reject_wer"),
            problem=f"max_wer ({policy.production.max_wer:g}) is above reject_wer ({policy.production.reject_wer:g})",
            next_step="what is rejected is worse than what the recogniser is unsure of: change one of the two",
        )
    for low, high in (("min_loudness_lufs", "max_loudness_lufs"), ("min_seconds_per_word", "max_seconds_per_word")):
        if not getattr(policy.audio, low) < getattr(policy.audio, high):
            yield Problem(
                keys=(f"audio.{low}", f"audio.{high}"),
                problem=f"{getattr(policy.audio, low):g} is not below {high}, which is {getattr(policy.audio, high):g}",
                next_step="leave a range between them",
            )


def _metric(section: str, metric: MetricPolicy, better: int) -> Iterator[Problem]:
    """Floor, pass, warn and ceiling rise (or, for errors, fall) in this order."""
    word = "above" if better > 0 else "below"
    rules = (
        ("ceiling", metric.ceiling, "floor", metric.floor, False, f"better is {word} in {section}"),
        ("warn", metric.warn, "pass", metric.pass_, False, "warn is the stricter one"),
        ("pass", metric.pass_, "floor", metric.floor, True, "what passes is worth something"),
        ("ceiling", metric.ceiling, "warn", metric.warn, True, "real speech gives no warning"),
    )
    for upper, high, lower, low, equal, why in rules:
        if not (high * better > low * better or (equal and high == low)):
            yield Problem(
                keys=(f"{section}.{upper}", f"{section}.{lower}"),
                problem=f"{upper} ({high:g}) is not {word} {lower} ({low:g})",
                next_step=f"{why}: change one of the two",
            )


def _scorecard(policy: Sections) -> Iterator[Problem]:
    weights, grades = policy.scorecard.weights, policy.scorecard.grades
    total = math.fsum(weights.values())
    if abs(total - 1) > _TOLERANCE:
        yield Problem(
            keys=tuple(f"scorecard.weights.{name}" for name in weights),
            problem=f"the weights sum to {total:g}, not to 1",
            next_step="change them so that they do",
        )
    for better, worse in itertools.pairwise(grades):
        if not grades[better] > grades[worse]:
            yield Problem(
                keys=(f"scorecard.grades.{better}", f"scorecard.grades.{worse}"),
                problem=f"{better} begins at {grades[better]:g}, {worse} at {grades[worse]:g}",
                next_step="grades fall from A to D",
            )
