"""What a production asks of one take, from a real batch and real clips of the same speaker.

A take is an outlier where it is worse than nearly all real clips and worse than nearly all takes of a voice that was found good. Words are
another matter: the recogniser mishears real speech, too, so what it mishears as much as the worst real clip is only unsure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from acceptance.calibration.evidence import require
from acceptance.failure import HarnessError
from acceptance.policy.implied import PER_CLIP, PER_CLIP_DECIMALS, per_clip
from trainer.evaluation import evaluate
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.prompts import Item
from trainer.preparation.recognisers import RecogniserChoice, by_score_identity
from trainer.production import plan, verification

LEAST_REAL, LEAST_TAKES = 20, 40
OnTotal = Callable[[int], Callable[[], None]]


def proposed(
    batch: Path, real: Sequence[Item], limits: SignalLimits, *, processes: int, on_total: OnTotal | None = None
) -> dict[str, Any]:
    """New values by dotted key, with their provenance; raises HarnessError(evidence_too_thin), DataError for a batch that is not whole."""
    found = plan.read(batch)
    takes = [row for row in verification.rows_of(batch, found) if row.error is None]
    require(len(takes), LEAST_TAKES, "takes of the batch that could be judged")
    require(len(real), LEAST_REAL, "real clips")
    reference = {item.id: item.path for item in real if item.path is not None}
    measured = evaluate.evaluate(
        evaluate.Plan(items=real, reference=reference, limits=limits, recogniser=_recogniser(found)),
        processes=processes,
        on_total=on_total,
    )
    errors = [row.word_edits / row.words for row in measured.rows if row.words and row.word_edits is not None]
    provenance: dict[str, str | float | None] = {
        "method": PER_CLIP,
        "real_clips": measured.reference.clips,
        "real_sha256": measured.reference.sha256,
        "batch_takes": len(takes),
        "batch_plan_sha256": found.sha256,
        "batch_checkpoint_sha256": found.checkpoint_sha256,
        "real_p1_similarity": _percentile([row.similarity for row in measured.rows], 1),
        "batch_p5_similarity": _percentile([row.similarity for row in takes], 5),
        "real_p1_realism": _percentile([row.overall for row in measured.rows], 1),
        "batch_p5_realism": _percentile([row.overall for row in takes], 5),
        "real_p90_wer": _percentile(errors, 90),
        "real_max_wer": _percentile(errors, 100),
        **{name: measured.pins[name] for name in ("speaker_encoder", "dnsmos_p835", "recogniser", "normaliser")},
    }
    values = per_clip(provenance) or {}
    return {f"production.{name}": value for name, value in {**values, "provenance": provenance}.items()}


def _recogniser(found: plan.Plan) -> RecogniserChoice:
    """What heard the words of the batch; raises HarnessError(pins_differ) where it is not here."""
    choice = by_score_identity(found.pins["recogniser"])
    if choice is None:
        raise HarnessError(
            "the words of the batch were heard by a recogniser that is not here; install the same set (make venv EXTRAS=whisper), or make the "
            "batch again",
            cause="pins_differ",
        )
    return choice


def _percentile(values: Sequence[float | None], share: float) -> float:
    known = [value for value in values if value is not None]
    return round(float(np.percentile(known, share)), PER_CLIP_DECIMALS) + 0.0
