"""The parts of a score: which measurement each is read from, and what the policy makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from acceptance.failure import HarnessError
from acceptance.policy import MetricPolicy, Policy
from trainer.evaluation.evaluation import POCKETSPHINX_PIN
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.measures import Measures

PARTS = ("speaker_similarity", "speech_realism", "intelligibility", "signal")
FAULTLESS = "faultless"
"""The metric of `signal`: the share of clips without a fault."""
POCKETSPHINX = "pocketsphinx"
_SILENT = "silent"
_LONGEST_KEY = 64
_OPINIONS = {"dnsmos_ovrl": "overall", "dnsmos_sig": "speech", "dnsmos_bak": "background", "dnsmos_p808": "p808"}
_ERROR_RATES = {"wer": ("word_edits", "words"), "cer": ("character_edits", "characters")}
_ERROR_RATES |= {f"{name}_whisper": counts for name, counts in _ERROR_RATES.items()}

Field = TypeVar("Field")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Measures):
    """What was measured in one clip, as in its evaluation: enough to score it again under another policy."""

    unusable: tuple[str, ...]
    """Why there is no sound in it (missing, undecodable, …), whatever the limits are; empty where there is one."""

    def faults(self, limits: SignalLimits) -> tuple[str, ...]:
        """What is wrong with its signal under these limits; empty for a sound clip."""
        if self.unusable:
            return self.unusable
        found = self.signal.faults(limits, words=self.words)
        silent = (
            self.signal.silence >= 1.0 and _SILENT not in found
        )  # digital silence was not judged: no limit makes it sound
        return (_SILENT, *found) if silent else found


Amount = Callable[[Measured], Any]
"""A number of one clip; None where it was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the score."""

    metric: str
    amount: Amount
    """What one clip adds."""
    weight: Amount
    """The value of several clips is the sum of their amounts over the sum of these: 1 for a mean, words for a word error rate."""
    share: Callable[[float], float]
    verdict: Callable[[float], str]
    better: int
    """1 where a higher value is better, -1 where a lower one is."""

    def value(self, clips: Sequence[Measured]) -> float:
        """The value of one or more clips together."""
        return float(sum(map(self.amount, clips)) / sum(map(self.weight, clips)))


def metric_key(similarity_metric: str) -> str:
    """How the policy names the metric of a speaker encoder: `cosine:ECAPA-TDNN` is `cosine_ecapa_tdnn`."""
    return re.sub("[^a-z0-9]+", "_", similarity_metric.lower())[:_LONGEST_KEY]


def of(similarity_metric: str, policy: Policy) -> dict[str, Part]:
    """The parts that have weight, by name; raises HarnessError(evaluation_incomplete) where the policy asks for what an evaluation has not."""
    wanted = policy.speaker_similarity.metric
    if wanted != metric_key(similarity_metric):
        raise HarnessError(
            f"the evaluation measured {similarity_metric}, but the policy's thresholds are for {wanted}; "
            "calibrate them for it, or evaluate with the policy's encoder",
            cause="evaluation_incomplete",
        )
    opinion = _known(policy.speech_realism, "speech_realism", _OPINIONS)
    edits, length = _known(policy.intelligibility, "intelligibility", _ERROR_RATES)
    limits = policy.audio.signal_limits()
    found = {
        "speaker_similarity": _graded(policy.speaker_similarity, lambda clip: clip.similarity, _one),
        "speech_realism": _graded(policy.speech_realism, lambda clip: getattr(clip, opinion), _one),
        "intelligibility": _graded(policy.intelligibility, lambda clip: getattr(clip, edits), lambda clip: getattr(clip, length)),
        "signal": Part(
            metric=FAULTLESS, amount=lambda clip: float(not clip.faults(limits)), weight=_one, better=1,
            share=float, verdict=lambda value: _signal_verdict(value, policy),
        ),
    }  # fmt: skip
    return {name: found[name] for name in PARTS if policy.scorecard.weight(name) > 0.0}


def require_recogniser(pins: Mapping[str, str], policy: Policy) -> None:
    """Raises HarnessError(evaluation_incomplete) where pocketsphinx heard the words that the policy's thresholds are for whisper's."""
    if policy.intelligibility.recogniser != POCKETSPHINX and pins.get("recogniser") == POCKETSPHINX_PIN:
        raise HarnessError(
            f"the words of the evaluation were heard by {POCKETSPHINX}, but the policy's thresholds are for {policy.intelligibility.metric}; "
            f"evaluate again with --recogniser {policy.intelligibility.recogniser}",
            cause="evaluation_incomplete",
        )


def _one(_: Measured) -> float:
    return 1.0


def _known(section: MetricPolicy, name: str, known: Mapping[str, Field]) -> Field:
    if section.metric not in known:
        raise HarnessError(
            f"{name}.metric of the policy is {section.metric!r}, which no evaluation has; use one of {', '.join(known)}",
            cause="evaluation_incomplete",
        )
    return known[section.metric]


def _graded(section: MetricPolicy, amount: Amount, weight: Amount) -> Part:
    better = 1 if section.ceiling > section.floor else -1
    return Part(
        metric=section.metric, amount=amount, weight=weight, better=better, share=section.share, verdict=section.verdict
    )


def _signal_verdict(value: float, policy: Policy) -> str:
    """A voice may spoil as many clips as a production may reject; any at all is a warning."""
    if round(1.0 - value, 9) > policy.production.max_rejected_share:
        return "fail"
    return "pass" if value == 1.0 else "warn"
