"""Checkpoints: plain containers and tensors, written atomically, read as if they came from an enemy."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import pickle
import stat
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from trainer.atomic_file import write_atomically

FORMAT = "voice-acceptance/vocoder"
VERSION = 1
MAX_BYTES = 256 * 2**20
MAX_MEMBERS = 10_000
MAX_DEPTH = 12
DTYPES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)


class CheckpointError(Exception):
    """A file that is not a usable checkpoint; `cause` is missing, not_regular, empty, truncated, crc, unsafe_pickle, wrong_format or too_large."""

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


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
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        raise CheckpointError(f"not a {FORMAT} version {VERSION}", cause="wrong_format")
    for key in ("config", "model", "features", "speaker", "training"):
        if not isinstance(document.get(key), dict):
            raise CheckpointError(f"the part {key!r} is missing", cause="wrong_format")
    if not document["model"] or not all(
        isinstance(value, torch.Tensor) for value in document["model"].values()
    ):
        raise CheckpointError("the model has no tensors or something else among them", cause="wrong_format")
    for name, tensor in document["model"].items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"the tensor {name} holds NaN or infinity", cause="wrong_format")
    return document


def read_container(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Plain containers and tensors of any torch archive, every ZIP member's CRC verified; raises CheckpointError."""
    data = _read_regular_file(path, max_bytes)
    _check_archive(data, max_bytes)
    try:
        document = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            "the pickle asks for more than tensors and plain containers", cause="unsafe_pickle"
        ) from error
    except (
        Exception
    ) as error:  # torch's reader raises many types for malformed archives, and none of them is ours
        raise CheckpointError(
            f"torch cannot read it: {type(error).__name__}", cause="wrong_format"
        ) from error
    if not isinstance(document, dict):
        raise CheckpointError("the top level is not a dictionary", cause="wrong_format")
    _check_structure(document, depth=0)
    return document


def content_sha256(document: Mapping[str, Any]) -> str:
    """Hash over sorted (name, dtype, shape, bytes) of all tensors; nested names are joined with dots."""
    digest = hashlib.sha256()
    for name, tensor in sorted(_tensors(document, ""), key=lambda item: item[0]):
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name}\0{values.dtype}\0{tuple(values.shape)}\0".encode())
        digest.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


def _read_regular_file(path: Path, max_bytes: int) -> bytes:
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise CheckpointError("there is no such file", cause="missing") from error
    except OSError as error:
        cause = "not_regular" if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENOTDIR) else "missing"
        raise CheckpointError(f"cannot be opened: {error.strerror}", cause=cause) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise CheckpointError("not a regular file", cause="not_regular")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(max_bytes + 1)
    if not data:
        raise CheckpointError("the file is empty", cause="empty")
    if len(data) > max_bytes:
        raise CheckpointError(f"larger than {max_bytes} bytes", cause="too_large")
    return data


def _check_archive(data: bytes, max_bytes: int) -> None:
    if not data.startswith(b"PK\x03\x04"):
        raise CheckpointError("not a torch archive", cause="wrong_format")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            # torch stores its members; a deflated one could unpack to any size.
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_bytes:
                raise CheckpointError(
                    f"unpacks to more than {max_bytes} bytes or {MAX_MEMBERS} members", cause="too_large"
                )
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise CheckpointError("has compressed members", cause="wrong_format")
            damaged = archive.testzip()
    except CheckpointError:
        raise
    except zipfile.BadZipFile as error:
        # Without its end the archive has no directory; everything else that zipfile refuses is damage inside.
        cause = "crc" if b"PK\x05\x06" in data[-65_557:] else "truncated"
        raise CheckpointError(f"the archive is damaged: {error}", cause=cause) from error
    except Exception as error:  # zipfile raises several types for damaged headers
        raise CheckpointError(f"the archive is damaged: {type(error).__name__}", cause="crc") from error
    if damaged is not None:
        raise CheckpointError(f"the checksum of {damaged} does not match", cause="crc")


def _check_structure(value: Any, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise CheckpointError("nested too deep", cause="wrong_format")
    if isinstance(value, torch.Tensor):
        _check_tensor(value)
    elif type(value) is dict:
        if not all(type(key) in (str, int) for key in value):
            raise CheckpointError("a key is neither text nor a number", cause="wrong_format")
        for item in value.values():
            _check_structure(item, depth=depth + 1)
    elif type(value) in (list, tuple):
        for item in value:
            _check_structure(item, depth=depth + 1)
    elif type(value) not in (str, int, float, bool, type(None)):
        raise CheckpointError(f"holds a {type(value).__name__}", cause="wrong_format")


def _check_tensor(value: torch.Tensor) -> None:
    # Strides of zero would let a few bytes stand for terabytes as soon as somebody copies them.
    plain = (
        type(value) is torch.Tensor
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and value.dtype in DTYPES
    )
    if (
        not plain
        or not value.is_contiguous()
        or value.numel() * value.element_size() > value.untyped_storage().nbytes()
    ):
        raise CheckpointError(
            "holds a tensor that is not plain, contiguous and on the CPU", cause="wrong_format"
        )


def _tensors(value: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _tensors(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _tensors(item, f"{name}.{index}" if name else str(index))
