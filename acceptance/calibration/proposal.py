"""Evidence as new values of the policy, each section with the provenance of its numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from acceptance.calibration import spread
from acceptance.calibration.evidence import NOISE_DB, CalibrationEvidence
from acceptance.calibration.separation import separate
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.policy.implied import AS_REAL_SPEECH, DECIMALS, HALFWAY
from acceptance.scorecards import parts, scorecard
from trainer.evaluation import evaluation
from trainer.evaluation.evaluation import EvaluatedClip

RESAMPLES = 2000
SEED = 20_261
_OPINION_METRIC, _POCKETSPHINX = "dnsmos_ovrl", "pocketsphinx"

Changes = dict[str, Any]
"""New values by dotted key."""


def from_evidence(found: CalibrationEvidence, *, with_words: bool) -> Changes:
    """Thresholds of similarity and realism, and of intelligibility where the words were judged; raises HarnessError(evidence_overlaps)."""
    reference = {"good_clips": found.reference.clips, "good_sha256": found.reference.sha256}
    changes = _section(
        "speaker_similarity",
        parts.metric_key(found.similarity_metric),
        (found.real_similarity, found.impostor_similarity),
        what="speaker similarity",
        bad="clips of other people",
        evidence={
            **reference,
            "bad_clips": found.impostors.clips,
            "bad_sha256": found.impostors.sha256,
            "clip_seconds": found.clip_seconds,
        },
        pins={"speaker_encoder": found.pins["speaker_encoder"]},
    )
    damaged = {**reference, "bad_clips": len(found.damaged), "noise_db": NOISE_DB}
    in_noise = f"the same clips with white noise {NOISE_DB:g} dB below them"
    changes |= _section(
        "speech_realism",
        _OPINION_METRIC,
        ([row.overall for row in found.real], [row.overall for row in found.damaged]),
        what="DNSMOS",
        bad=in_noise,
        evidence=damaged,
        pins={"dnsmos_p835": found.pins["dnsmos_p835"]},
    )
    if with_words:
        changes |= _section(
            "intelligibility",
            "wer" if found.recogniser == _POCKETSPHINX else f"wer_{found.recogniser}",
            (_pooled_error_rates(found.real), _pooled_error_rates(found.damaged)),
            what="the word error rate",
            better=-1,
            bad=in_noise,
            evidence={**damaged, "words": sum(row.words or 0 for row in found.real), "resamples": RESAMPLES},
            pins={name: found.pins[name] for name in ("recogniser", "normaliser")},
            described=f"word error rate of the {found.recogniser} recogniser, all words together",
        )
    return changes


def from_runs(recipes: Sequence[Sequence[Path]], policy: Policy) -> Changes:
    """The least difference between two scores, from evaluations of a voice with several seeds for each recipe; scored by `policy`.

    Raises HarnessError: evidence_too_thin, pins_differ, evaluation_invalid, evaluation_incomplete, or evidence_overlaps for the same clips twice.
    """
    paths = [path for recipe in recipes for path in recipe]
    loaded = [evaluation.load_with_digest(path) for path in paths]
    first = loaded[0][0]
    seen: dict[str, Path] = {}
    for path, (one, _) in zip(paths, loaded, strict=True):
        evaluation.check_comparable(first, one)
        if sorted(row.prompt for row in one.rows) != sorted(row.prompt for row in first.rows):
            raise HarnessError(
                f"{path}: other texts than in {paths[0]}; let every run say the same", cause="evidence_overlaps"
            )
        if one.generated.sha256 in seen:
            raise HarnessError(
                f"{path}: the same clips as {seen[one.generated.sha256]}; a run needs a seed of its own",
                cause="evidence_overlaps",
            )
        seen[one.generated.sha256] = path
    scores = [scorecard.score(scorecard.clips(one), one.similarity_metric, policy).score for one, _ in loaded]
    remaining = iter(scores)
    grouped = [[next(remaining) for _ in recipe] for recipe in recipes]
    found = spread.measure(grouped, confidence=policy.scorecard.confidence)
    return {
        "scorecard.min_difference": found.least_difference,
        "scorecard.provenance": {
            "method": spread.METHOD,
            "runs": len(scores),
            "recipes": len(recipes),
            "checkpoints": len({one.checkpoint_sha256 for one, _ in loaded if one.checkpoint_sha256})
            or None,  # as far as it was said
            "clips_per_run": first.generated.clips,
            "runs_sha256": hashlib.sha256("\n".join(sorted(digest for _, digest in loaded)).encode()).hexdigest(),
            "lowest_score": round(min(scores), 3),
            "highest_score": round(max(scores), 3),
            "standard_deviation": found.standard_deviation,
            "largest_seen": found.largest_seen,
            "confidence": policy.scorecard.confidence,
        },
    }


def _section(
    name: str,
    metric: str,
    clips: tuple[Sequence[float], Sequence[float]],
    *,
    what: str,
    bad: str,
    evidence: Mapping[str, Any],
    pins: Mapping[str, str],
    better: int = 1,
    described: str = "",
) -> Changes:
    """The values of a section from its good and its bad `clips`, and their provenance. Where less is better, real speech sets them."""
    found = separate(*clips, better=better, decimals=DECIMALS[name], what=what, halfway=better > 0)
    low, high = ("p5", "p99") if better > 0 else ("p95", "p1")
    provenance = {
        "method": HALFWAY if better > 0 else AS_REAL_SPEECH,
        "good": "real clips of the target" + (", each with the others" if name == "speaker_similarity" else ""),
        "bad": bad,
        **evidence,
        f"good_{low}": found.good_worst_case,
        "good_median": found.ceiling,
        f"bad_{high}": found.bad_worst_case,
        "bad_median": found.floor,
        **pins,
    }
    values = {
        "metric": metric, "pass": found.passing, "warn": found.warn, "floor": found.floor, "ceiling": found.ceiling,
        "provenance": provenance,
    }  # fmt: skip
    if described:
        values["description"] = described
    return {f"{name}.{key}": value for key, value in values.items()}


def _pooled_error_rates(rows: Sequence[EvaluatedClip]) -> list[float]:
    """RESAMPLES error rates of all words together, over clips drawn with replacement: a verdict is about the whole, not about a clip."""
    edits = np.array([row.word_edits for row in rows], dtype=np.float64)
    words = np.array([row.words for row in rows], dtype=np.float64)
    picks = np.random.default_rng(SEED).integers(len(rows), size=(RESAMPLES, len(rows)))
    rates: list[float] = (edits[picks].sum(axis=1) / words[picks].sum(axis=1)).tolist()
    return rates
