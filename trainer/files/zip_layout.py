"""The layout of a ZIP archive, read so strictly that no two readers can see two archives in one file.

The file is one archive and nothing else: its members lie one behind the other from the first byte to the directory, each name stands once,
the directory says what the members say, and the end record is the end of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

MAX_MEMBERS = 10_000
MAX_DIRECTORY = 4 * 2**20
_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")
_LOCATOR, _END64 = struct.Struct("<4sIQI"), struct.Struct("<4sQ2H2I4Q")
_DESCRIPTORS = {16: struct.Struct("<4sIII"), 24: struct.Struct("<4sIQQ")}
_STORED, _LATER, _KNOWN_FLAGS = 0, 0x8, 0x808
_NO_16, _NO_32 = 0xFFFF, 0xFFFFFFFF
_SEARCH = 65_557  # an end record with the longest comment
_ZIP64, _PADDING = 1, 0x4246  # the second is how PyTorch aligns what it stores: "FB", then only the letter Z

ReadAt = Callable[[int, int], bytes]
"""(offset, count) -> bytes; fewer than asked for only at the end of the file."""


class LayoutError(ValueError):
    """Not one archive; `cause` is truncated, damaged, compressed, too_large or ambiguous."""

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One stored file: its bytes are `[start, start + size)` of the archive."""

    name: str
    start: int
    size: int
    crc: int


def members(read_at: ReadAt, length: int, *, max_bytes: int) -> dict[str, Member]:
    """The members of an archive of `length` bytes, by name, as `read_at` reads it; raises LayoutError.

    A member that says that it unpacks to more than `max_bytes` is too_large, whatever else is wrong with it.
    """
    begin, size, count = _directory_place(read_at, length)
    if count > MAX_MEMBERS or size > MAX_DIRECTORY:
        raise LayoutError(f"more than {MAX_MEMBERS} members or {MAX_DIRECTORY} bytes of directory", cause="too_large")
    directory = read_at(begin, size)
    found: dict[str, Member] = {}
    place, at = 0, 0
    for _ in range(count):
        entry, at = _entry(directory, at, max_bytes)
        if entry.name in found:
            raise LayoutError("a name stands twice in it", cause="ambiguous")
        if entry.offset != place:
            raise LayoutError("something lies before or between its members", cause="ambiguous")
        found[entry.name], place = _member(read_at, entry, begin)
    if at != size or place != begin:
        raise LayoutError("something lies between its members and its directory", cause="ambiguous")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A line of the directory."""

    raw_name: bytes
    name: str
    flags: int
    crc: int
    size: int
    offset: int


def _directory_place(read_at: ReadAt, length: int) -> tuple[int, int, int]:
    """(offset, bytes, members) of the directory, from the end record that ends the file."""
    tail = read_at(max(0, length - _END.size), _END.size)
    if len(tail) < _END.size or tail[:4] != b"PK\x05\x06":
        searched = read_at(max(0, length - _SEARCH), _SEARCH)
        found = searched.rfind(b"PK\x05\x06")
        if 0 <= found <= len(searched) - _END.size:
            raise LayoutError("something lies behind the end of the archive", cause="ambiguous")
        raise LayoutError("it has no end record", cause="truncated")
    _, disk, start_disk, here, count, size, begin, comment = _END.unpack(tail)
    end = length - _END.size
    locator = read_at(end - _LOCATOR.size, _LOCATOR.size) if end >= _LOCATOR.size else b""
    if locator[:4] == b"PK\x06\x07":
        end, values = _end64(read_at, end, locator)
        for small, large, none in ((count, values[1], _NO_16), (size, values[2], _NO_32), (begin, values[3], _NO_32)):
            if small not in (large, none):
                raise LayoutError("its two end records differ", cause="ambiguous")
        here, count, size, begin = values
    elif _NO_16 in (here, count) or _NO_32 in (size, begin):
        raise LayoutError("its end record names another that is not there", cause="damaged")
    if disk or start_disk or comment or here != count:
        raise LayoutError("its end record has a comment or names other disks", cause="ambiguous")
    if size > MAX_DIRECTORY:
        raise LayoutError(f"a directory of more than {MAX_DIRECTORY} bytes", cause="too_large")
    if begin + size != end:
        raise LayoutError("its directory is not where its end record says", cause="ambiguous")
    return begin, size, count


def _end64(read_at: ReadAt, end: int, locator: bytes) -> tuple[int, tuple[int, int, int, int]]:
    """Where the 64-bit end record begins, and (members here, members, bytes, offset) of its directory."""
    place = end - _LOCATOR.size - _END64.size
    record = read_at(place, _END64.size) if place >= 0 else b""
    _, disk, offset, disks = _LOCATOR.unpack(locator)
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06" or disk or disks != 1 or offset != place:
        raise LayoutError("its 64-bit end record is not where it says", cause="ambiguous")
    _, rest, _, _, disk, start_disk, here, count, size, begin = _END64.unpack(record)
    if rest != _END64.size - 12 or disk or start_disk:
        raise LayoutError("its 64-bit end record has parts that none should have", cause="ambiguous")
    return place, (here, count, size, begin)


def _entry(directory: bytes, at: int, max_bytes: int) -> tuple[_Entry, int]:
    """The line of the directory at `at`, and where the next one begins."""
    head = directory[at : at + _CENTRAL.size]
    if len(head) < _CENTRAL.size or head[:4] != b"PK\x01\x02":
        raise LayoutError("its directory is damaged", cause="damaged")
    _, _, _, flags, method, _, _, crc, packed, size, names, extras, comments, disk, _, _, offset = _CENTRAL.unpack(head)
    at += _CENTRAL.size
    raw, extra = directory[at : at + names], directory[at + names : at + names + extras]
    if comments or disk or len(extra) < extras:
        raise LayoutError("its directory is damaged", cause="damaged")
    size, packed, offset = _wide(_extra(extra), (size, packed, offset))
    if size > max_bytes:
        raise LayoutError(f"unpacks to more than {max_bytes} bytes", cause="too_large")
    if method != _STORED:
        raise LayoutError("has compressed members", cause="compressed")
    try:
        name = raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise LayoutError("a member has no ASCII name", cause="damaged") from error
    if packed != size or not name or flags & ~_KNOWN_FLAGS:
        raise LayoutError("a member has another size stored than unpacked, no name, or unknown flags", cause="damaged")
    return _Entry(raw_name=raw, name=name, flags=flags, crc=crc, size=size, offset=offset), at + names + extras


def _member(read_at: ReadAt, entry: _Entry, limit: int) -> tuple[Member, int]:
    """The member that an entry names, and where it ends; its own header says what the directory says."""
    head = read_at(entry.offset, _LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
        raise LayoutError("a member is not where the directory says", cause="damaged")
    _, _, flags, method, _, _, crc, packed, size, names, extras = _LOCAL.unpack(head)
    behind = read_at(entry.offset + _LOCAL.size, names + extras)
    start = entry.offset + _LOCAL.size + names + extras
    later = bool(flags & _LATER)
    if not later or size or packed:
        size, packed, _ = _wide(_extra(behind[names:]), (size, packed, 0))
    else:
        _extra(behind[names:])
    told = (crc, packed, size)
    same = told == (entry.crc, entry.size, entry.size) or (later and told == (0, 0, 0))
    if behind[:names] != entry.raw_name or method != _STORED or flags != entry.flags or not same:
        raise LayoutError("a member says otherwise than the directory", cause="damaged")
    end = start + entry.size
    if later and end <= limit:
        end += _descriptor(read_at, end, entry)
    if end > limit:
        raise LayoutError("a member reaches into the directory", cause="damaged")
    return Member(name=entry.name, start=start, size=entry.size, crc=entry.crc), end


def _descriptor(read_at: ReadAt, at: int, entry: _Entry) -> int:
    """Bytes of the record behind a member, which says its sum and sizes once more."""
    for size, form in _DESCRIPTORS.items():
        found = read_at(at, size)
        if len(found) == size and form.unpack(found) == (b"PK\x07\x08", entry.crc, entry.size, entry.size):
            return size
    raise LayoutError("a member says otherwise than the directory", cause="damaged")


def _extra(data: bytes) -> bytes:
    """The 64-bit sizes among a member's extra fields; raises LayoutError for fields that could hold something else."""
    wide, at = b"", 0
    while at < len(data):
        kind, size = struct.unpack_from("<2H", data, at) if len(data) - at >= 4 else (None, 0)
        content = data[at + 4 : at + 4 + size]
        if kind == _ZIP64 and not wide and len(content) == size:
            wide = content
        elif kind != _PADDING or len(content) != size or content.strip(b"Z"):
            raise LayoutError("a member has an extra field that none should have", cause="damaged")
        at += 4 + size
    return wide


def _wide(wide: bytes, values: tuple[int, int, int]) -> tuple[int, int, int]:
    """(size, packed, offset) where those that do not fit 32 bits stand in the extra field, in this order."""
    needed = [value == _NO_32 for value in values]
    if len(wide) != 8 * sum(needed):
        raise LayoutError("a member's 64-bit sizes are not there or not needed", cause="damaged")
    large = iter(struct.unpack(f"<{sum(needed)}Q", wide))
    size, packed, offset = (next(large) if wanted else value for value, wanted in zip(values, needed, strict=True))
    return size, packed, offset
