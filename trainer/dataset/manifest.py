"""The dataset manifest `voice_dataset/2`: what a recording was cut into, as canonical JSON that can be checked without trust.

`dumps` of equal manifests gives equal bytes. `load` refuses everything that is not strict JSON, has not exactly the fields and types below, or
contradicts itself. voice_dataset.schema.json says the same shape for readers in other languages.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from trainer.errors import DataError
from trainer.files import plain_file, strict_json, typed_json
from trainer.files.printable import printable, quoted

SCHEMA = "voice_dataset/2"
SIGN = f'\n  "schema": "{SCHEMA.partition("/")[0]}/'.encode()
"""Bytes that stand in every manifest that `dumps` made."""
FILE_NAME = "voice_dataset_manifest.json"
TRAIN, HELD_OUT = "train", "held_out"
TRANSCRIPT_SOURCES = ("none", "sidecar_unaligned", "sidecar", "metadata", "recognised", "corrected")
MAX_CLIP_BYTES = 64 * 2**20
REASONS = (
    "too_short", "too_long", "not_speech", "too_quiet", "too_noisy", "clipped", "not_needed", "transcript_mismatch", "not_understood",
    "no_words",
    "text_not_spoken",
)  # fmt: skip
"""Why a stretch is dropped: in the order in which it is judged. `not_needed` is speech beyond what is learnt from."""

_DIGEST = re.compile("[0-9a-f]{64}")
_MAX_BYTES = 16 * 2**20  # some ten thousand utterances
_HISTOGRAM_EDGES_S = (1.5, 3.0, 4.5, 6.0, 7.5, 9.0, 10.5, 12.0)
_TOLERANCE_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The recording (or folder of clips) that everything was cut from; `path` is relative to the workspace."""

    path: str
    bytes: int
    sha256: str
    duration_s: float
    sample_rate: int
    channels: int
    mix: str | None = None
    """Which channels are used, or how samples are scaled, and why; None where it is the mean of all channels. Manifests may lack it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Measured before normalisation: signal-to-noise ratio in dB, share of clipped samples, integrated loudness in LUFS."""

    snr_db: float
    clipping: float
    loudness_lufs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One utterance; `path` is relative to the manifest's directory, times are in the source."""

    id: str
    path: str
    sha256: str
    start_s: float
    end_s: float
    duration_s: float
    sample_rate: int
    transcript: str
    transcript_sha256: str
    transcript_source: str
    transcript_confidence: float
    """0 to 1: how far the sound bears the transcript out; 0 without one, 1 for what a person gave for this very clip."""
    split: str
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """One stretch of detected speech that was not kept, and why."""

    start_s: float
    end_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTranscript:
    """The text of the whole recording, or the table of a folder of clips; `path` is relative to the workspace."""

    path: str
    sha256: str
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What the cut depended on: the key of audio, settings and transcript together, and the settings themselves."""

    key: str
    settings: Mapping[str, float]
    recogniser: str | None = None
    """Which recogniser heard what is said and the digest of what decides its words; None for pocketsphinx, and where nothing was left to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole dataset. Entries are in the order of the recording."""

    preparation: Preparation
    source: Source
    transcript: WholeTranscript | None
    entries: tuple[Entry, ...]
    dropped: tuple[Dropped, ...]

    def split(self, name: str) -> tuple[Entry, ...]:
        """The entries of one split, `train` or `held_out`."""
        return tuple(entry for entry in self.entries if entry.split == name)

    @property
    def summary(self) -> dict[str, Any]:
        """Usable minutes, counts and distributions, computed from the entries."""
        return summarise(self.entries, self.dropped)


def summarise(entries: Sequence[Entry], dropped: Sequence[Dropped]) -> dict[str, Any]:
    """The `summary` object of a manifest."""
    minutes = {
        split: round(sum(entry.duration_s for entry in entries if entry.split == split) / 60.0, 4)
        for split in (TRAIN, HELD_OUT)
    }
    durations = [entry.duration_s for entry in entries]
    return {
        "usable_minutes": round(sum(durations) / 60.0, 4),
        "train_minutes": minutes[TRAIN],
        "held_out_minutes": minutes[HELD_OUT],
        "counts": {
            "entries": len(entries),
            "train": sum(entry.split == TRAIN for entry in entries),
            "held_out": sum(entry.split == HELD_OUT for entry in entries),
            "dropped": len(dropped),
        },
        "dropped_by_reason": dict(sorted(Counter(drop.reason for drop in dropped).items())),
        "distributions": {
            "duration_s": distribution(durations),
            "duration_histogram": _histogram(durations),
            "snr_db": distribution([entry.quality.snr_db for entry in entries]),
            "loudness_lufs": distribution([entry.quality.loudness_lufs for entry in entries]),
        },
    }


def distribution(values: Sequence[float]) -> dict[str, float]:
    """Least, tenth, median, ninetieth and greatest of at least one value."""
    quantiles = np.percentile(np.asarray(values, dtype=np.float64), [0, 10, 50, 90, 100]) + 0.0
    return {
        name: round(float(value), 3) for name, value in zip(("min", "p10", "p50", "p90", "max"), quantiles, strict=True)
    }


def _histogram(durations: Sequence[float]) -> dict[str, int]:
    clipped = np.clip(durations, _HISTOGRAM_EDGES_S[0], _HISTOGRAM_EDGES_S[-1])
    counts, edges = np.histogram(clipped, bins=_HISTOGRAM_EDGES_S)
    return {f"{low:g}-{high:g}": int(count) for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)}


def dumps(manifest: Manifest) -> bytes:
    """Canonical bytes: sorted keys, two spaces, one newline at the end, UTF-8."""
    document = {"schema": SCHEMA, **asdict(manifest), "summary": manifest.summary}
    if manifest.source.mix is None:
        del document["source"]["mix"]
    if manifest.preparation.recogniser is None:
        del document["preparation"]["recogniser"]
    return strict_json.readable(document)


def load(path: Path) -> Manifest:
    """Read and check a manifest; raises DataError(manifest_invalid) naming the first thing that is wrong."""
    return load_with_digest(path)[0]


def load_with_digest(path: Path) -> tuple[Manifest, str]:
    """As `load`, and the SHA-256 of the very bytes that were read."""
    try:
        data = plain_file.read(path, limit=_MAX_BYTES)
        document = strict_json.loads(data)
        manifest = _from_document(document)
        _check_consistency(manifest, document["summary"])
    except FileNotFoundError as error:
        raise _missing(path) from error
    except plain_file.PlainFileError as error:
        raise (_missing(path) if error.cause == "missing" else _invalid(path, str(error))) from error
    except (OSError, ValueError) as error:
        raise _invalid(path, str(error)) from error
    return manifest, hashlib.sha256(data).hexdigest()


def verify_clips(manifest: Manifest, directory: Path, *, max_bytes: int | None = None) -> None:
    """Check that every clip is a regular file under `directory`, reached without a link, with the promised digest.

    Raises DataError(manifest_invalid), also where the clips together are larger than `max_bytes`: no more than that is read.
    """
    left = max_bytes
    for entry in manifest.entries:
        path = directory / entry.path
        limit = MAX_CLIP_BYTES if left is None else min(left, MAX_CLIP_BYTES)
        try:
            data = plain_file.read(path, limit=limit, root=directory)
        except OSError as error:
            whole = left is not None and limit < MAX_CLIP_BYTES and getattr(error, "cause", "") == "too_large"
            raise _invalid(
                path, f"with it the clips are larger than {max_bytes} bytes" if whole else str(error)
            ) from error
        left = None if left is None else left - len(data)
        digest = hashlib.sha256(data).hexdigest()
        if digest != entry.sha256:
            raise _invalid(path, f"its sha256 is {digest}, not {entry.sha256}")


def _missing(path: Path) -> DataError:
    return DataError(
        f"{path}: there is no such file; give the {FILE_NAME} of a prepared recording", cause="manifest_invalid"
    )


def _invalid(path: Path, problem: str) -> DataError:
    next_step = f"prepare the recording again into another place, or give its {FILE_NAME}"
    return DataError(f"{printable(str(path), 500)}: {problem}; {next_step}", cause="manifest_invalid")


def _from_document(document: Any) -> Manifest:
    """The manifest without the two keys that are not its fields; raises ValueError."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else None
        named = f" but {quoted(found)}, a manifest of another kind" if found else ""
        raise ValueError(f"schema is not {SCHEMA!r}{named}")
    if "summary" not in document:
        raise ValueError("$: 'summary' is missing")
    fields = {name: value for name, value in document.items() if name not in ("schema", "summary")}
    if isinstance(source := fields.get("source"), dict):
        fields["source"] = {"mix": None, **source}
    if isinstance(preparation := fields.get("preparation"), dict):
        fields["preparation"] = {"recogniser": None, **preparation}
    return typed_json.build(Manifest, fields)


def _check_consistency(manifest: Manifest, summary: Any) -> None:
    """What types cannot say; raises ValueError."""
    _check_digests([manifest.preparation.key, manifest.source.sha256, *(entry.sha256 for entry in manifest.entries)])
    _check_source(manifest.source)
    for name in ("id", "path"):
        values = [getattr(entry, name) for entry in manifest.entries]
        if len(set(values)) != len(values):
            raise ValueError(f"entries repeat a value of {name}")
    _check_times(manifest)
    for entry in manifest.entries:
        _check_entry(entry)
    for drop in manifest.dropped:
        if drop.reason not in REASONS:
            raise ValueError(f"dropped at {drop.start_s} s: unknown reason {quoted(drop.reason)}")
    if {entry.split for entry in manifest.entries} != {TRAIN, HELD_OUT}:
        raise ValueError("entries must have both splits, train and held_out")
    if strict_json.canonical(summary) != strict_json.canonical(manifest.summary):
        raise ValueError("summary does not follow from the entries")


def _check_digests(digests: Sequence[str]) -> None:
    for digest in digests:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{quoted(digest)} is not a sha256 in hex")


def _check_source(source: Source) -> None:
    if source.bytes < 1 or source.duration_s <= 0 or source.sample_rate < 1 or source.channels < 1:
        raise ValueError("source: bytes, duration_s, sample_rate and channels must be positive")
    _check_inside("source", source.path)


def _check_times(manifest: Manifest) -> None:
    """Entries and dropped stretches are ascending, inside the recording, and do not overlap."""
    everything: list[Entry | Dropped] = [*manifest.entries, *manifest.dropped]
    stretches = sorted(everything, key=lambda item: (item.start_s, item.end_s))
    for item in stretches:
        if not 0 <= item.start_s < item.end_s <= manifest.source.duration_s + _TOLERANCE_S:
            raise ValueError(f"{item.start_s}-{item.end_s} s is not a stretch of the recording")
    for before, after in pairwise(stretches):
        if after.start_s < before.end_s - _TOLERANCE_S:
            raise ValueError(f"stretches overlap at {after.start_s} s")
    kinds: tuple[Sequence[Entry | Dropped], ...] = (manifest.entries, manifest.dropped)
    for items in kinds:
        if any(after.start_s < before.start_s for before, after in pairwise(items)):
            raise ValueError("entries or dropped stretches are not in the order of the recording")


def _check_inside(where: str, path: str) -> None:
    pure = PurePosixPath(path)
    if not path or "\0" in path or pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"{where}: path {quoted(path)} is not inside")


def _check_entry(entry: Entry) -> None:
    _check_inside(f"entry {quoted(entry.id)}", entry.path)
    if not 0.0 <= entry.quality.clipping <= 1.0:
        raise ValueError(f"entry {quoted(entry.id)}: clipping is not a share")
    if entry.sample_rate < 1 or entry.transcript_source not in TRANSCRIPT_SOURCES:
        raise ValueError(f"entry {quoted(entry.id)}: sample_rate or transcript_source has no possible value")
    if abs(entry.end_s - entry.start_s - entry.duration_s) > _TOLERANCE_S:
        raise ValueError(f"entry {quoted(entry.id)}: duration_s is not end_s - start_s")
    if hashlib.sha256(entry.transcript.encode()).hexdigest() != entry.transcript_sha256:
        raise ValueError(f"entry {quoted(entry.id)}: transcript_sha256 is not that of its transcript")
    if not 0.0 <= entry.transcript_confidence <= 1.0:
        raise ValueError(f"entry {quoted(entry.id)}: transcript_confidence is not between 0 and 1")
    if (entry.transcript_source in ("none", "sidecar_unaligned")) != (not entry.transcript):
        raise ValueError(
            f"entry {quoted(entry.id)}: transcript_source {quoted(entry.transcript_source)} does not fit its transcript"
        )
