"""Checkpoints: plain containers and tensors, written atomically, read as if they came from an enemy."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

from trainer import plain_file
from trainer.atomic_file import write_atomically
from trainer.plain_file import PlainFileError

FORMAT = "voice-acceptance/vocoder"
VERSION = 1
MAX_BYTES = 2**30  # six blocks of the widest network (width 2048, hidden 8192) have 800 MB
MAX_MEMBERS = 10_000
MAX_DEPTH = 12
_MAX_READ = 4 * 2**20  # at one go while looking at an archive: its directory, or a piece of a member
_MAX_COMMENT = 65_557  # the end record of a ZIP archive with the longest comment
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
    return _document(_read_archive(path, max_bytes))


def read_with_sha256(path: Path, *, max_bytes: int = MAX_BYTES) -> tuple[dict[str, Any], str]:
    """As `read_container`, with the SHA-256 of the very bytes that were read: the file may be another one a moment later."""
    data = _read_archive(path, max_bytes)
    return _document(data), hashlib.sha256(data).hexdigest()


def _document(data: bytes) -> dict[str, Any]:
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


def _read_archive(path: Path, max_bytes: int) -> bytes:
    """The bytes of a sound ZIP archive; what is none is refused from its size, its first bytes or its directory, before it is in memory."""
    try:
        with plain_file.opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise CheckpointError("the file is empty", cause="empty")
            if size > max_bytes:
                raise CheckpointError(f"larger than {max_bytes} bytes", cause="too_large")
            if file.read(4) != b"PK\x03\x04":
                raise CheckpointError("not a torch archive", cause="wrong_format")
            _check_archive(file, max_bytes, sums=False)
            file.seek(0)
            data = file.read(size)
    except PlainFileError as error:
        raise _unopened(error) from error
    except OSError as error:
        raise CheckpointError(f"cannot be read: {error.strerror}", cause="truncated") from error
    # Once more and with the checksums: only what is in memory can no longer be exchanged.
    _check_archive(io.BytesIO(data), max_bytes, sums=True)
    return data


def _unopened(error: PlainFileError) -> CheckpointError:
    if error.cause == "missing":
        return CheckpointError("there is no such file", cause="missing")
    if error.mode is not None:
        return CheckpointError("not a regular file", cause="not_regular")
    cause = "not_regular" if error.cause in ("link", "no_directory", "not_regular") else "missing"
    return CheckpointError(f"cannot be opened: {error}", cause=cause)


class _SmallReads:
    """A binary file of which nobody reads more than _MAX_READ bytes at one go, whatever sizes an archive claims for its parts."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(_MAX_READ + 1 if size < 0 else min(size, _MAX_READ + 1))
        if len(data) > _MAX_READ:
            raise CheckpointError(f"the archive's directory is larger than {_MAX_READ} bytes", cause="too_large")
        return data


def _check_archive(file: BinaryIO, max_bytes: int, *, sums: bool) -> None:
    """Members are few, stored and small enough together, and with `sums` each one's CRC matches; raises CheckpointError."""
    try:
        with zipfile.ZipFile(_SmallReads(file)) as archive:
            members = archive.infolist()
            # torch stores its members; a deflated one could unpack to any size.
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_bytes:
                raise CheckpointError(
                    f"unpacks to more than {max_bytes} bytes or {MAX_MEMBERS} members", cause="too_large"
                )
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise CheckpointError("has compressed members", cause="wrong_format")
            damaged = archive.testzip() if sums else None
    except CheckpointError:
        raise
    except zipfile.BadZipFile as error:
        # Without its end the archive has no directory; everything else that zipfile refuses is damage inside.
        cause = "crc" if _has_end_record(file) else "truncated"
        raise CheckpointError(f"the archive is damaged: {error}", cause=cause) from error
    except Exception as error:  # zipfile raises several types for damaged headers
        raise CheckpointError(f"the archive is damaged: {type(error).__name__}", cause="crc") from error
    if damaged is not None:
        raise CheckpointError(f"the checksum of {damaged} does not match", cause="crc")


def _has_end_record(file: BinaryIO) -> bool:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _MAX_COMMENT))
    return b"PK\x05\x06" in file.read(_MAX_COMMENT)


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
