"""A torch archive of tensors and plain containers, read without torch and as if it came from an enemy.

The file is opened once, its size and layout are looked at before it is in memory, and what is in memory is checked again: only that can no
longer be exchanged. Tensors come out as their bytes; `trainer.files.checkpoint` makes torch's of them.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.files import plain_file, plain_pickle, zip_layout
from trainer.files.plain_file import PlainFileError
from trainer.files.plain_pickle import PlainPickleError, TensorPlace
from trainer.files.zip_layout import LayoutError, Member

MAX_BYTES = 2**30  # six blocks of the widest network (width 2048, hidden 8192) have 800 MB
_PICKLE, _DATA = "data.pkl", "data/"
_OTHERS = frozenset({"version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"})
_MAX_OTHER = 4096
_TIMES = 4
"""Tensors may share a storage: all of them together are at most so many times as large as the file."""
_CAUSES = {
    "truncated": "truncated",
    "too_large": "too_large",
    "damaged": "crc",
    "compressed": "wrong_format",
    "ambiguous": "wrong_format",
}


class CheckpointError(Exception):
    """A file that is not a usable checkpoint; `cause` is missing, not_regular, empty, truncated, crc, unsafe_pickle, wrong_format or too_large."""

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """A tensor as its bytes, in the order of its elements, little-endian."""

    dtype: str
    """As torch calls it: float32, bfloat16."""
    shape: tuple[int, ...]
    data: memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What a file holds: plain containers and values with a StoredTensor for each tensor, and the size and digest of its bytes."""

    document: dict[str, Any]
    bytes: int
    sha256: str


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> Archive:
    """The content of a torch archive, the sum of each member checked; raises CheckpointError."""
    data = _content(path, max_bytes)
    members = _members(data)
    document = _document(data, members)
    return Archive(document=document, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def digest(tensors: Iterable[tuple[str, str, tuple[int, ...], Any]]) -> str:
    """SHA-256 over (name, data type, shape, bytes) of tensors in the order of their names."""
    total = hashlib.sha256()
    for name, dtype, shape, data in sorted(tensors, key=lambda item: item[0]):
        total.update(f"{name}\0torch.{dtype}\0{shape}\0".encode())
        total.update(data)
    return total.hexdigest()


def content_sha256(document: Mapping[str, Any]) -> str:
    """`digest` of a document with a StoredTensor for each tensor; nested names are joined with dots."""
    return digest((name, one.dtype, one.shape, one.data) for name, one in named(document, StoredTensor))


def named(value: Any, kind: type, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every object of a kind in nested containers, with its name: keys and positions, joined with dots."""
    if isinstance(value, kind):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from named(item, kind, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from named(item, kind, f"{name}.{index}" if name else str(index))


def _content(path: Path, max_bytes: int) -> bytes:
    """The bytes of a sound archive; what is none is refused from its size, its first bytes or its directory, before it is in memory."""
    try:
        with plain_file.opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise CheckpointError("the file is empty", cause="empty")
            if size > max_bytes:
                raise CheckpointError(f"larger than {max_bytes} bytes", cause="too_large")
            if file.read(4) != b"PK\x03\x04":
                raise CheckpointError("not a torch archive", cause="wrong_format")
            _layout(lambda at, count: _read_at(file, at, count), size, max_bytes)
            file.seek(0)
            data = file.read(size)
    except PlainFileError as error:
        raise _unopened(error) from error
    except OSError as error:
        raise CheckpointError(f"cannot be read: {error.strerror}", cause="truncated") from error
    return data


def _read_at(file: Any, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _unopened(error: PlainFileError) -> CheckpointError:
    if error.cause == "missing":
        return CheckpointError("there is no such file", cause="missing")
    if error.mode is not None:
        return CheckpointError("not a regular file", cause="not_regular")
    cause = "not_regular" if error.cause in ("link", "no_directory", "not_regular") else "missing"
    return CheckpointError(f"cannot be opened: {error}", cause=cause)


def _layout(read_at: zip_layout.ReadAt, size: int, max_bytes: int) -> dict[str, Member]:
    try:
        return zip_layout.members(read_at, size, max_bytes=max_bytes)
    except LayoutError as error:
        raise CheckpointError(f"the archive is damaged: {error}", cause=_CAUSES[error.cause]) from error


def _members(data: bytes) -> dict[str, Member]:
    """The members by their names below the archive's one folder, their sums checked."""
    found: dict[str, Member] = {}
    folders = set()
    for name, member in _layout(lambda at, count: data[at : at + count], len(data), len(data)).items():
        folder, _, below = name.partition("/")
        folders.add(folder)
        found[below] = member
        if member.crc != zlib.crc32(memoryview(data)[member.start : member.start + member.size]):
            raise CheckpointError(f"the checksum of {name!r:.80} does not match", cause="crc")
    strange = [name for name in found if name not in _OTHERS and name != _PICKLE and not name.startswith(_DATA)]
    if (
        strange
        or len(folders) != 1
        or _PICKLE not in found
        or any(found[name].size > _MAX_OTHER for name in _OTHERS & found.keys())
    ):
        raise CheckpointError("its members are not those of a torch archive", cause="wrong_format")
    order = found.get("byteorder")
    if order is not None and data[order.start : order.start + order.size] != b"little":
        raise CheckpointError("its numbers are not little-endian", cause="wrong_format")
    return found


def _document(data: bytes, members: Mapping[str, Member]) -> dict[str, Any]:
    pickled = members[_PICKLE]
    if pickled.size > plain_pickle.MAX_BYTES:
        raise CheckpointError(f"its description is larger than {plain_pickle.MAX_BYTES} bytes", cause="too_large")
    try:
        document = plain_pickle.loads(data[pickled.start : pickled.start + pickled.size])
    except PlainPickleError as error:
        raise CheckpointError(str(error), cause="unsafe_pickle" if error.unsafe else "wrong_format") from error
    if type(document) is not dict:
        raise CheckpointError("the top level is not a dictionary", cause="wrong_format")
    places = [place for _, place in named(document, TensorPlace)]
    wanted = {_DATA + place.storage.key for place in places}
    if wanted != {name for name in members if name.startswith(_DATA)}:
        raise CheckpointError("its description and its stored tensors do not belong together", cause="wrong_format")
    if sum(place.elements * place.storage.element_bytes for place in places) > _TIMES * len(data):
        raise CheckpointError(f"its tensors are more than {_TIMES} times as large as the file", cause="too_large")
    return _filled(document, memoryview(data), members)


def _filled(value: Any, data: memoryview, members: Mapping[str, Member]) -> Any:
    """The document with each TensorPlace replaced by what is stored there."""
    if isinstance(value, TensorPlace):
        storage, member = value.storage, members[_DATA + value.storage.key]
        if storage.elements * storage.element_bytes != member.size:
            raise CheckpointError("a stored tensor has another size than its description", cause="wrong_format")
        begin = member.start + value.offset * storage.element_bytes
        return StoredTensor(
            dtype=storage.dtype, shape=value.shape, data=data[begin : begin + value.elements * storage.element_bytes]
        )
    if type(value) is dict:
        return {key: _filled(item, data, members) for key, item in value.items()}
    if type(value) is list:
        return [_filled(item, data, members) for item in value]
    return tuple(_filled(item, data, members) for item in value) if type(value) is tuple else value
