"""Bytes at any place of a file or of memory, and a view of them as a file object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol


class ByteSource(Protocol):
    """Gives `count` bytes from `offset` on, fewer at the end; `size` is how many there are."""

    size: int

    def at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset` on."""
        ...


class FileBytes:
    """The bytes behind an open descriptor, whose position stays where it is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset` on."""
        return os.pread(self._descriptor, count, offset)


class MemoryBytes:
    """Bytes that are loaded already."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset` on."""
        return self._data[offset : offset + count]


class View:
    """The first `end` bytes of a source as a file object to read from; `patches` replace bytes at their offsets."""

    def __init__(self, source: ByteSource, end: int, patches: Mapping[int, bytes]) -> None:
        self._source, self._end, self._patches = source, end, patches
        self._position = 0

    def tell(self) -> int:
        """The offset of the next byte that is read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset, as a file object does; the end is the view's."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def read(self, count: int = -1) -> bytes:
        """Up to `count` bytes, or all that are left."""
        left = max(self._end - self._position, 0)
        data = self._source.at(self._position, left if count < 0 else min(count, left))
        for offset, replacement in self._patches.items():
            data = _overlaid(data, offset - self._position, replacement)
        self._position += len(data)
        return data


def _overlaid(data: bytes, offset: int, replacement: bytes) -> bytes:
    start, end = max(offset, 0), min(offset + len(replacement), len(data))
    return data if start >= end else data[:start] + replacement[start - offset : end - offset] + data[end:]
