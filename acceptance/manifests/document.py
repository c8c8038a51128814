"""The manifest `clip_manifest/1` as canonical JSON, and reading either schema without trust.

Equal datasets give equal bytes: keys sorted, no time, no place. `load` refuses what is not strict JSON, has not exactly the fields of `Item`, or
contradicts itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.manifests.dataset import Dataset, Item, Layout, text_sha256
from acceptance.manifests.summary import summarise
from trainer.dataset import clip_names as names
from trainer.dataset import manifest as prepared
from trainer.errors import DataError
from trainer.files import plain_file, portable_path, strict_json, typed_json
from trainer.files.plain_file import PlainFileError
from trainer.files.printable import quoted

SCHEMA = "clip_manifest/1"
SIGN = f'\n  "schema": "{SCHEMA}"'.encode()
"""Bytes that stand in every manifest that `dumps` made."""
MAX_BYTES = 64 * 2**20
"""Some hundred thousand clips."""
MAX_VALUES = 2_500_000

_DIGEST = re.compile("[0-9a-f]{64}")
_LEAST, _GREATEST = 1e-6, 1e15
_LONGEST_S, _HIGHEST_RATE = 1e6, 1e7  # eleven days
_KEYS = {"schema", "layout", "items", "unlisted", "summary"}


def dumps(layout: Layout, items: Sequence[Item], unlisted: Sequence[str]) -> bytes:
    """Canonical bytes: sorted keys, two spaces, one newline at the end, UTF-8; raises ValueError where `load` would refuse them."""
    _check(items, unlisted)
    document = {
        "schema": SCHEMA,
        "layout": layout,
        "items": [asdict(item) for item in items],
        "unlisted": list(unlisted),
        "summary": summarise(items),
    }
    data = strict_json.readable(document)
    if len(data) > MAX_BYTES:
        raise ValueError(f"a manifest of {len(data)} bytes is larger than {MAX_BYTES}")
    return data


def load(path: Path) -> Dataset:
    """Read a manifest of either schema (`clip_manifest/1`, `voice_dataset/2`); raises HarnessError(manifest_invalid) with what is wrong."""
    try:
        data = plain_file.read(path, limit=MAX_BYTES)
        document = strict_json.loads(data, max_values=MAX_VALUES)
        if not isinstance(document, dict):
            raise ValueError("no dataset manifest (not a JSON object)")
        schema = document.get("schema")
        if schema == prepared.SCHEMA:
            return load_prepared(path)
        if schema != SCHEMA:
            named = f"its schema is {quoted(schema)}" if schema else "it names no schema"
            raise ValueError(f"no dataset manifest ({named}, neither {SCHEMA!r} nor {prepared.SCHEMA!r})")
        return _dataset(document, data, path)
    except (PlainFileError, OSError, ValueError) as error:
        raise invalid(path, str(error)) from error


def load_prepared(path: Path) -> Dataset:
    """Read a `voice_dataset/2` manifest; raises HarnessError(manifest_invalid)."""
    try:
        document, digest = prepared.load_with_digest(path)
    except DataError as error:
        raise HarnessError(str(error), cause=error.cause) from error
    items = sorted((_item_of_entry(entry) for entry in document.entries), key=lambda item: item.id)
    try:
        _check(items, ())
    except ValueError as error:
        raise invalid(path, str(error)) from error
    return Dataset(layout=Layout.PREPARED, items=tuple(items), unlisted=None, sha256=digest, path=path)


def invalid(path: Path, problem: str) -> HarnessError:
    """The error for a manifest that cannot be used."""
    return HarnessError(
        f"{names.shown(str(path))}: {names.shown(problem)}; make it again: voice manifest create DIR",
        cause="manifest_invalid",
    )


def _dataset(document: dict[str, Any], data: bytes, path: Path) -> Dataset:
    for name in sorted(document.keys() ^ _KEYS):
        raise ValueError(f"$: {quoted(name)} is {'missing' if name in _KEYS else 'unknown'}")
    if document["layout"] not in list(Layout):
        raise ValueError(f"$.layout: {quoted(document['layout'])} is none of {', '.join(Layout)}")
    items = typed_json.build(tuple[Item, ...], document["items"], "$.items")
    unlisted = typed_json.build(tuple[str, ...], document["unlisted"], "$.unlisted")
    _check(items, unlisted)
    for item in items:
        if None in (item.bytes, item.channels, item.format, item.subtype):
            raise ValueError(f"item {quoted(item.id)}: bytes, channels, format and subtype must be known")
    if strict_json.canonical(document["summary"]) != strict_json.canonical(summarise(items)):
        raise ValueError("summary does not follow from the items")
    digest = hashlib.sha256(data).hexdigest()
    return Dataset(layout=Layout(document["layout"]), items=items, unlisted=unlisted, sha256=digest, path=path)


def _item_of_entry(entry: prepared.Entry) -> Item:
    known: dict[str, Any] = {field.name: getattr(entry, field.name, None) for field in fields(Item)}
    return Item(**known)


def _check(items: Sequence[Item], unlisted: Sequence[str]) -> None:
    """What types cannot say; raises ValueError."""
    if not items:
        raise ValueError("it has no items")
    paths = [*(item.path for item in items), *unlisted]
    for what, values in (("id", [item.id for item in items]), ("path", paths)):
        if len(set(values)) != len(values):
            raise ValueError(f"items repeat a value of {what}")
        for name, first in names.twins(values).items():
            raise ValueError(
                f"{what} {quoted(name)} is the same as {quoted(first)} on systems that ignore case or the form of accents"
            )
        for name in values:
            # An id is what a clip's file can be called without its suffix.
            problem = portable_path.problem(f"{name}.wav" if what == "id" else name)
            if problem:
                raise ValueError(f"{what} {name[:200]!r} {problem}")
    if [item.id for item in items] != sorted(item.id for item in items):
        raise ValueError("items are not in the order of their ids")
    for item in items:
        _check_item(item)


def _check_item(item: Item) -> None:
    where = f"item {quoted(item.id)}"
    if not _DIGEST.fullmatch(item.sha256):
        raise ValueError(f"{where}: {item.sha256[:80]!r} is not a sha256 in hex")
    if text_sha256(item.transcript) != item.transcript_sha256:
        raise ValueError(f"{where}: transcript_sha256 is not that of its transcript")
    numbers = (item.duration_s, item.sample_rate, item.channels, item.bytes)
    if any(number is not None and not _LEAST <= number <= _GREATEST for number in numbers):
        raise ValueError(f"{where}: bytes, duration_s, sample_rate or channels is not a possible number")
    if item.duration_s > _LONGEST_S or item.sample_rate > _HIGHEST_RATE:
        raise ValueError(f"{where}: no clip has {item.duration_s:g} s at {item.sample_rate:g} Hz")
    splits = (None, prepared.TRAIN, prepared.HELD_OUT)
    if item.transcript_source not in prepared.TRANSCRIPT_SOURCES or item.split not in splits:
        raise ValueError(f"{where}: transcript_source or split has no possible value")
