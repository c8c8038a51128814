"""Evaluations, scored runs and histories without any audio: what was measured is what a test says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from acceptance.policy import Policy
from acceptance.scorecards import runs, scorecard
from acceptance.scorecards.origin import SUCCESS, Acceptance, Origin
from acceptance.scorecards.runs import Run
from trainer.evaluation import evaluation as evaluations
from trainer.evaluation.evaluation import PINS, RECORDED, Clips, EvaluatedClip, Evaluation
from trainer.evaluation.faults import Signal

POLICY = Policy()
"""The built-in thresholds: the file's are calibrated anew from time to time."""
REFERENCE = Clips(sha256=hashlib.sha256(b"reference").hexdigest(), clips=6)
WORDS = 10
_SIGNAL = Signal(
    seconds=3.0, spoken_s=2.8, not_finite=0, clipping=0.0, offset=0.0, silence=0.1, longest_pause_s=0.2,
    start_edge_db=-60.0, end_edge_db=-60.0, loudness_lufs=-23.0, snr_db=30.0,
)  # fmt: skip

_FAULTY = {
    "clipped": {"clipping": 0.05},
    "noisy": {"snr_db": 5.0},
    "silent": {"silence": 0.9},
    "offset": {"offset": 0.02},
}
CHECKPOINT_SHA256, MANIFEST = (
    hashlib.sha256(b"voice").hexdigest(),
    ("manifest.json", hashlib.sha256(b"dataset").hexdigest()),
)
SPEAKING = {"rate": 1.0, "pitch": 0.0, "pause": 1.0, "liveliness": 1.0, "seed": 0, "sample_rate": 22_050}
KNOWN = {"checkpoint_sha256": CHECKPOINT_SHA256, "manifest": MANIFEST}
"""Of an evaluation that says what it is of."""


def clip(number: int, *, similarity: float = 0.8, overall: float = 2.9, word_edits: int | None = 1,
         prompt: str | None = None, faults: Sequence[str] = (), audio: str = "") -> EvaluatedClip:  # fmt: skip
    """One clip of ten words. A fault is either one that its signal then has, or a reason why it has none."""
    judged = word_edits is not None
    signal = replace(_SIGNAL, **{name: value for fault in faults for name, value in _FAULTY.get(fault, {}).items()})
    decoded = {*faults} <= {*_FAULTY}
    return EvaluatedClip(
        id=f"{number:03}", file=f"{number:03}.wav", prompt=f"This is sentence number {number}." if prompt is None else prompt,
        audio_sha256=hashlib.sha256(f"{audio}{number}{similarity}{overall}{word_edits}".encode()).hexdigest(),
        seconds=3.0, sample_rate=24_000 if decoded else 0, channels=int(decoded),
        similarity=similarity, overall=overall, speech=overall, background=overall, p808=overall,
        word_edits=word_edits, words=WORDS if judged else None, character_edits=word_edits, characters=50 if judged else None,
        heard="this is", signal=signal, faults=tuple(faults),
    )  # fmt: skip


def evaluation(clips: Sequence[EvaluatedClip], *, pins: Mapping[str, str] | None = None, checkpoint_sha256: str | None = None,
               manifest: tuple[str, str] | None = None, speaking: Mapping[str, float] | None = None) -> Evaluation:  # fmt: skip
    """An evaluation of these clips that its loader accepts."""
    all_pins = (
        {name: hashlib.sha256(name.encode()).hexdigest() for name in PINS}
        | {"reference": REFERENCE.sha256}
        | dict(pins or {})
    )
    return Evaluation(
        pins=all_pins, similarity_metric="ge2e_cosine", generated=evaluations.fingerprint({row.id: row.audio_sha256 for row in clips}),
        reference=replace(REFERENCE, sha256=all_pins["reference"]), checkpoint_sha256=checkpoint_sha256,
        manifest_path=manifest[0] if manifest else None, manifest_sha256=manifest[1] if manifest else None,
        rows=tuple(clips), summary=evaluations.summarise(clips),
        checkpoint_origin=checkpoint_sha256 and RECORDED, speaking=speaking,
    )  # fmt: skip


def write(path: Path, found: Evaluation) -> Path:
    """The evaluation as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(evaluations.dumps(found))
    return path


def origin(**changes: object) -> Origin:
    """A known checkpoint and dataset, made by a run that ended in success."""
    known = {
        "run_id": "run",
        "checkpoint_sha256": CHECKPOINT_SHA256,
        "manifest_path": MANIFEST[0],
        "manifest_sha256": MANIFEST[1],
    }
    success = Acceptance(status=SUCCESS, run_id="20260102T030405Z-1a2b3c")
    return Origin(
        **{
            **known,
            "acceptance": success,
            "checkpoint_read": False,
            "licence": None,
            "checkpoint_origin": RECORDED,
            **changes,
        }
    )


def run(clips: Sequence[EvaluatedClip], run_id: str = "run", *, policy: Policy = POLICY, pins: Mapping[str, str] | None = None,
        source: Origin | None = None, speaking: Mapping[str, float] | None = MappingProxyType(SPEAKING)) -> Run:  # fmt: skip
    """A scored run of these clips, of a known dataset and a checkpoint of its own, all spoken as by default if nothing else is said."""
    found = evaluation(clips, pins=pins, speaking=speaking and dict(speaking))
    card = scorecard.score(scorecard.clips(found), found.similarity_metric, policy)
    source = source or origin(run_id=run_id, checkpoint_sha256=hashlib.sha256(run_id.encode()).hexdigest())
    return runs.scored(card, found, hashlib.sha256(evaluations.dumps(found)).hexdigest(), source)


def history(workspace: Path, *found: Run) -> Path:
    """A workspace's history of these runs."""
    path = workspace / runs.HISTORY
    for one in found:
        runs.append(path, one)
    return path


def policy_file(folder: Path) -> Path:
    """A policy file that changes nothing: `POLICY`, for a command."""
    path = folder / "defaults.yaml"
    path.write_text("schema: threshold_policy/1\n", encoding="utf-8")
    return path
