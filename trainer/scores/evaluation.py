"""The evaluation `voice_evaluation/1`: what was measured in every clip of one voice, as canonical JSON that can be checked without trust.

`dumps` of equal evaluations gives equal bytes. There are no times and no absolute paths in it. `load` refuses everything that is not strict
JSON, has not exactly the fields and types below, or contradicts itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from trainer import plain_file, strict_json, typed_json
from trainer.errors import DataError
from trainer.scores.estimate import Estimate
from trainer.scores.faults import Signal

SCHEMA = "voice_evaluation/1"
PINS = (
    "measures", "speaker_encoder", "dnsmos_p835", "dnsmos_p808", "speech_detector", "recogniser", "normaliser", "signal_limits", "reference",
)  # fmt: skip
"""What a number depends on beside the clip: models, data and code by hash, the limits of the faults, and the clips compared with."""
METRICS = ("similarity", "overall", "speech", "background", "p808", "wer", "cer", "faultless")
"""Names in `summary`; a metric that was not judged is absent. `faultless` is the share of clips without a fault."""

_DIGEST = re.compile("[0-9a-f]{64}")
_MAX_BYTES = 64 * 2**20
_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """A set of clips: sha256 over the lines `id sha256` in the order of their ids, and how many they are."""

    sha256: str
    clips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedClip:
    """What was found in one clip. A clip that cannot be judged has the worst marks and a fault that says why."""

    id: str
    prompt: str
    """The text that is meant; empty where words were not judged."""
    audio_sha256: str
    """Of the file; empty where there is none."""
    seconds: float
    sample_rate: int
    channels: int
    similarity: float
    """Mean cosine to the reference clips."""
    overall: float
    """`overall`, `speech` and `background` of DNSMOS P.835, and P.808's mark: 1 to 5."""
    speech: float
    background: float
    p808: float
    word_edits: int | None
    """Edits and lengths of the normalised texts; None where words were not judged."""
    words: int | None
    character_edits: int | None
    characters: int | None
    heard: str
    signal: Signal
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All clips of one voice, in the order of their ids."""

    pins: Mapping[str, str]
    similarity_metric: str
    """`ge2e_cosine`, or `cosine:<name>` of another encoder: thresholds of one say nothing of the other."""
    generated: Clips
    reference: Clips
    checkpoint_sha256: str | None
    manifest_path: str | None
    """Relative to the directory where the evaluation was made, or the bare name."""
    manifest_sha256: str | None
    rows: tuple[EvaluatedClip, ...]
    summary: Mapping[str, Estimate]


class Pinned(Protocol):
    """Anything with pins: an evaluation, or the record of one."""

    @property
    def pins(self) -> Mapping[str, str]:
        """Name of a model or reference -> what identifies it."""


def check_comparable(first: Pinned, second: Pinned) -> None:
    """Raises DataError(pins_differ), naming them, where the two were not measured by the same models against the same reference."""
    names = sorted({*first.pins, *second.pins})
    differing = [name for name in names if first.pins.get(name) != second.pins.get(name)]
    if differing:
        shown = ", ".join(f"{name} ({_short(first.pins.get(name))} and {_short(second.pins.get(name))})" for name in differing)
        raise DataError(
            f"the two were measured differently and cannot be compared: {shown}; evaluate both again with the same version and reference",
            cause="pins_differ",
        )


def fingerprint(digests: Mapping[str, str]) -> Clips:
    """The set of clips with these sha256 by id."""
    listing = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return Clips(sha256=hashlib.sha256(listing.encode()).hexdigest(), clips=len(digests))


def dumps(evaluation: Evaluation) -> bytes:
    """Canonical bytes: sorted keys, two spaces, numbers of six decimals, one newline at the end, UTF-8."""
    document = rounded({"schema": SCHEMA, **asdict(evaluation)})
    return (json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def load(path: Path) -> Evaluation:
    """Read and check an evaluation; raises DataError(evaluation_invalid) naming the first thing that is wrong."""
    return load_with_digest(path)[0]


def load_with_digest(path: Path) -> tuple[Evaluation, str]:
    """As `load`, and the SHA-256 of the very bytes that were read."""
    try:
        data = plain_file.read(path, limit=_MAX_BYTES)
        evaluation = loads(data)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}; evaluate again: voice evaluate --help", cause="evaluation_invalid") from error
    return evaluation, hashlib.sha256(data).hexdigest()


def loads(data: bytes) -> Evaluation:
    """The evaluation in `data`; raises ValueError."""
    document = strict_json.loads(data)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"schema is not {SCHEMA!r}")
    evaluation = typed_json.build(Evaluation, {name: value for name, value in document.items() if name != "schema"})
    _check(evaluation)
    return evaluation


def rounded(value: Any) -> Any:
    """Every float in nested dicts and sequences rounded to six decimals; below that, one processor differs from another."""
    if isinstance(value, Mapping):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return round(value, _DECIMALS) + 0.0 if isinstance(value, float) else value


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "none"


def _check(evaluation: Evaluation) -> None:
    """What types cannot say; raises ValueError."""
    missing = sorted(set(PINS) ^ evaluation.pins.keys())
    if missing:
        raise ValueError(f"pins: {missing[0]!r} is missing or unknown")
    ids = [row.id for row in evaluation.rows]
    if not ids or len(set(ids)) != len(ids):
        raise ValueError("rows: none, or two with one id")
    digests = [evaluation.generated.sha256, evaluation.reference.sha256, evaluation.checkpoint_sha256, evaluation.manifest_sha256]
    for digest in [*filter(None, digests), *(row.audio_sha256 for row in evaluation.rows if row.audio_sha256)]:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest[:80]!r} is not a sha256 in hex")
    if evaluation.generated != fingerprint({row.id: row.audio_sha256 for row in evaluation.rows}):
        raise ValueError("generated does not follow from the rows")
    if evaluation.pins["reference"] != evaluation.reference.sha256:
        raise ValueError("pins: reference is not that of the evaluation")
    path = evaluation.manifest_path
    if path is not None and (PurePosixPath(path).is_absolute() or not path):
        raise ValueError("manifest_path is absolute or empty")
    if (path is None) != (evaluation.manifest_sha256 is None):
        raise ValueError("manifest_path and manifest_sha256 belong together")
    for row in evaluation.rows:
        _check_row(row)
    _check_summary(evaluation.summary)


def _check_row(row: EvaluatedClip) -> None:
    counts = (row.word_edits, row.words, row.character_edits, row.characters)
    if len({count is None for count in counts}) != 1:
        raise ValueError(f"row {row.id}: words and characters are judged together or not at all")
    if row.words is not None and (min(counts) < 0 or not row.words or not row.characters):
        raise ValueError(f"row {row.id}: edits or lengths have no possible value")
    if not -1.0 <= row.similarity <= 1.0 or row.seconds < 0.0:
        raise ValueError(f"row {row.id}: similarity or seconds has no possible value")


def _check_summary(summary: Mapping[str, Estimate]) -> None:
    for name, found in summary.items():
        if name not in METRICS or found.low > found.high:
            raise ValueError(f"summary: {name!r} is unknown, or its interval is upside down")
