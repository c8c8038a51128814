"""Checkpoints: plain containers and tensors, written atomically, read as if they came from an enemy."""

from __future__ import annotations

import hashlib
import io
import sys
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from trainer.files import plain_pickle, tensor_archive
from trainer.files.atomic_file import write_atomically
from trainer.files.printable import quoted
from trainer.files.tensor_archive import MAX_BYTES, CheckpointError, StoredTensor

FORMAT = "voice-acceptance/vocoder"
VERSION = 1
DTYPES = {name: getattr(torch, name) for name, _ in plain_pickle.DTYPES.values()}


def save(path: Path, document: Mapping[str, Any]) -> str:
    """Write `document` atomically and durably; returns the SHA-256 of the file. Equal documents give equal bytes on one machine."""
    data = serialise(document)
    write_atomically(path, data)
    return hashlib.sha256(data).hexdigest()


def serialise(document: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint file; they depend on nothing but `document`."""
    buffer = io.BytesIO()
    # Through a file object: given a path, torch.save writes the file's stem into the archive.
    torch.save(_canonical(document), buffer)
    return buffer.getvalue()


def load(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Read a checkpoint of this project without executing anything in it; raises CheckpointError."""
    document = read_container(path, max_bytes=max_bytes)
    require_plain(document, besides=("model",))
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        raise CheckpointError(f"not a {FORMAT} version {VERSION}", cause="wrong_format")
    for key in ("config", "model", "features", "training"):
        if not isinstance(document.get(key), dict):
            raise CheckpointError(f"the part {key!r} is missing", cause="wrong_format")
    if not document["model"] or not all(isinstance(value, torch.Tensor) for value in document["model"].values()):
        raise CheckpointError("the model has no tensors or something else among them", cause="wrong_format")
    for name, tensor in document["model"].items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"the tensor {name} holds NaN or infinity", cause="wrong_format")
    return document


def require_plain(document: Mapping[str, Any], *, besides: Collection[str]) -> None:
    """No tensor stands outside of the parts `besides` (dotted names), where a text or a number is read; raises CheckpointError(wrong_format).

    Asking whether a tensor equals a text gives no answer but an error.
    """
    for name, _ in tensor_archive.named(document, torch.Tensor):
        if not any(name.startswith(f"{part}.") for part in besides):
            raise CheckpointError(
                f"a tensor stands at {quoted(name)}, where a plain value belongs", cause="wrong_format"
            )


def read_container(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Plain containers and tensors of any torch archive, every ZIP member's CRC verified; raises CheckpointError."""
    return _with_tensors(tensor_archive.read(path, max_bytes=max_bytes).document)


def read_with_sha256(path: Path, *, max_bytes: int = MAX_BYTES) -> tuple[dict[str, Any], str]:
    """As `read_container`, with the SHA-256 of the very bytes that were read: the file may be another one a moment later."""
    archive = tensor_archive.read(path, max_bytes=max_bytes)
    return _with_tensors(archive.document), archive.sha256


def _with_tensors(value: Any) -> Any:
    """The document with torch's tensors in place of their bytes."""
    if isinstance(value, StoredTensor):
        if not value.data.nbytes:
            return torch.empty(value.shape, dtype=DTYPES[value.dtype])
        # The bytes are read-only, and copied below.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            flat = torch.frombuffer(value.data, dtype=DTYPES[value.dtype])
        # Copied: torch aligns what it allocates, and the order in which it adds depends on that.
        return flat.clone().reshape(value.shape)
    if isinstance(value, dict):
        return {key: _with_tensors(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_with_tensors, value))
    return value


def content_sha256(document: Mapping[str, Any]) -> str:
    """Hash over sorted (name, dtype, shape, bytes) of all tensors; nested names are joined with dots."""
    return tensor_archive.digest(
        (name, str(one.dtype).removeprefix("torch."), tuple(one.shape), _bytes(one))
        for name, one in tensor_archive.named(document, torch.Tensor)
    )


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def _canonical(value: Any) -> Any:
    # Pickle writes a second reference to one object shorter than a second equal object: strings are interned and containers
    # and tensors copied, so that a resumed run pickles the same bytes as an uninterrupted one.
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().contiguous().clone()
    if isinstance(value, Mapping):
        return {_canonical(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, str):
        return sys.intern(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"a checkpoint holds plain values and tensors only, not {type(value).__name__}")
