"""The evaluation `voice_evaluation/1`: what was measured in every clip of one voice, as canonical JSON that can be checked without trust.

`dumps` of equal evaluations gives equal bytes. There are no times and no absolute paths in it. `load` refuses everything that is not strict
JSON, has not exactly the fields and types below, or contradicts itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from trainer.errors import DataError
from trainer.evaluation.estimate import Estimate, estimate
from trainer.evaluation.measures import LONGEST_S, MOST_CHANNELS, RATES, Measures, in_range
from trainer.files import plain_file, strict_json, typed_json
from trainer.preparation.recognisers.choice import POCKETSPHINX_PIN as POCKETSPHINX_PIN

SCHEMA = "voice_evaluation/1"
SIGN = f'\n  "schema": "{SCHEMA}"'.encode()
"""Bytes that stand in every evaluation that `dumps` made."""
PINS = (
    "measures", "speaker_encoder", "dnsmos_p835", "dnsmos_p808", "speech_detector", "recogniser", "normaliser", "signal_limits", "reference",
)  # fmt: skip
"""What a number depends on beside the clip: models, data and code by hash, the limits of the faults, and the clips compared with."""
RECORDED, CLAIMED = "recorded", "claimed"
"""How it is known which checkpoint spoke."""

_DIGEST = re.compile("[0-9a-f]{64}")
_MAX_BYTES = 64 * 2**20
_DECIMALS = 6
ROUNDING = 2e-6
"""What two numbers may differ by, of which one follows from rounded others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """A set of clips: sha256 over the lines `id sha256` in the order of their ids, and how many they are."""

    sha256: str
    clips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedClip(Measures):
    """What was found in one clip. A clip that cannot be judged has the worst marks and a fault that says why."""

    id: str
    prompt: str
    """The text that is meant; empty where words were not judged."""
    seconds: float
    sample_rate: int
    """0, as `channels`, where there is no sound in the file."""
    channels: int
    heard: str
    faults: tuple[str, ...]
    file: str = ""
    """The name of the audio file; empty if there is none, or in evaluations of earlier versions."""


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
    checkpoint_origin: str | None = None
    """`recorded`: a record beside the clips says that this checkpoint spoke them; `claimed`: whoever evaluated says so; None: not known."""
    speaking: Mapping[str, float] | None = None
    """The settings that the clips were spoken with, as their record has them; None if it does not say."""


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
        shown = ", ".join(
            f"{name} ({_short(first.pins.get(name))} and {_short(second.pins.get(name))})" for name in differing
        )
        raise DataError(
            f"the two were measured differently and cannot be compared: {shown}; evaluate both again with the same version and reference",
            cause="pins_differ",
        )


def fingerprint(digests: Mapping[str, str]) -> Clips:
    """The set of clips with these sha256 by id."""
    listing = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return Clips(sha256=hashlib.sha256(listing.encode()).hexdigest(), clips=len(digests))


def summarise(rows: Sequence[EvaluatedClip]) -> dict[str, Estimate]:
    """The summary of these rows; rates are over all words together. What was not judged is absent; `faultless` is the share without a fault."""
    with_words = [row for row in rows if row.words is not None]
    found = {
        name: estimate([getattr(row, name) for row in rows])
        for name in ("similarity", "overall", "speech", "background", "p808")
    }
    found["wer"] = estimate([row.word_edits for row in with_words], [row.words for row in with_words])
    found["cer"] = estimate([row.character_edits for row in with_words], [row.characters for row in with_words])
    found["faultless"] = estimate([float(not row.faults) for row in rows])
    return {name: value for name, value in found.items() if value is not None}


def dumps(evaluation: Evaluation) -> bytes:
    """Canonical bytes: sorted keys, two spaces, numbers of six decimals, one newline at the end, UTF-8."""
    document = rounded({"schema": SCHEMA, **asdict(evaluation)})
    return strict_json.readable(document)


def load(path: Path) -> Evaluation:
    """Read and check an evaluation; raises DataError(evaluation_invalid) naming the first thing that is wrong."""
    return load_with_digest(path)[0]


def load_with_digest(path: Path) -> tuple[Evaluation, str]:
    """As `load`, and the SHA-256 of the very bytes that were read."""
    try:
        data = plain_file.read(path, limit=_MAX_BYTES)
        evaluation = loads(data)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: {error}; evaluate again: voice evaluate --help", cause="evaluation_invalid"
        ) from error
    return evaluation, hashlib.sha256(data).hexdigest()


def loads(data: bytes) -> Evaluation:
    """The evaluation in `data`; raises ValueError."""
    document = strict_json.loads(data)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"schema is not {SCHEMA!r}")
    fields = _completed(document)
    evaluation = typed_json.build(Evaluation, {name: value for name, value in fields.items() if name != "schema"})
    _check(evaluation)
    return evaluation


def _completed(document: Mapping[str, Any]) -> dict[str, Any]:
    """An evaluation of an earlier version with what only later ones have, as not known."""
    rows = document.get("rows")
    rows = [{"file": "", **row} if isinstance(row, dict) else row for row in rows] if isinstance(rows, list) else rows
    return {"checkpoint_origin": None, "speaking": None, **document, **({} if rows is None else {"rows": rows})}


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
    digests = [
        evaluation.generated.sha256,
        evaluation.reference.sha256,
        evaluation.checkpoint_sha256,
        evaluation.manifest_sha256,
    ]
    for row in evaluation.rows:
        _check_row(row)
    for digest in filter(None, digests):
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest[:80]!r} is not a sha256 in hex")
    if evaluation.generated != fingerprint({row.id: row.audio_sha256 for row in evaluation.rows}):
        raise ValueError("generated does not follow from the rows")
    if evaluation.pins["reference"] != evaluation.reference.sha256:
        raise ValueError("pins: reference is not that of the evaluation")
    if evaluation.checkpoint_origin not in (None, RECORDED, CLAIMED) or (
        evaluation.checkpoint_origin and not evaluation.checkpoint_sha256
    ):
        raise ValueError("checkpoint_origin has no possible value")
    path = evaluation.manifest_path
    for row in evaluation.rows:
        if row.file != PurePosixPath(row.file).name:
            raise ValueError(f"row {row.id}: its file is not the bare name of one")
    if path is not None and (PurePosixPath(path).is_absolute() or not path):
        raise ValueError("manifest_path is absolute or empty")
    if (path is None) != (evaluation.manifest_sha256 is None):
        raise ValueError("manifest_path and manifest_sha256 belong together")
    _check_summary(evaluation)


def _check_row(row: EvaluatedClip) -> None:
    try:
        row.check()
        in_range("seconds", row.seconds, 0.0, LONGEST_S)
        in_range("channels", row.channels, int(row.sample_rate != 0), MOST_CHANNELS if row.sample_rate else 0)
        if row.sample_rate and row.sample_rate not in RATES:
            raise ValueError(f"sample_rate has no possible value ({row.sample_rate})")
        if row.seconds != row.signal.seconds:
            raise ValueError("seconds are not those of its signal")
        if not row.sample_rate and not row.faults:
            raise ValueError("no sound in it, and no fault that says why")
    except ValueError as error:
        raise ValueError(f"row {row.id}: {error}") from error


def _check_summary(evaluation: Evaluation) -> None:
    """The summary is what the rows give, but for their rounding."""
    expected = summarise(evaluation.rows)
    if evaluation.summary.keys() != expected.keys():
        raise ValueError(f"summary: {min(evaluation.summary.keys() ^ expected.keys())!r} is missing or unknown")
    for name, found in evaluation.summary.items():
        if expected[name].low is None and found.low == found.high == found.value:
            found = replace(found, low=None, high=None)  # as an earlier version wrote the interval of a single clip
        pairs = zip(asdict(found).values(), asdict(expected[name]).values(), strict=True)
        if any(one != other and (None in (one, other) or abs(one - other) > ROUNDING) for one, other in pairs):
            raise ValueError(f"summary: {name} does not follow from the rows")
