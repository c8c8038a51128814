"""What an MP3 says of its own length: the index in its first frame, or the frames themselves.

MPEG-1, -2 and -2.5 layer III (ISO 11172-3, 13818-3); the index is Xing's (also LAME's `Info`) or Fraunhofer's VBRI.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from trainer.audio import audio_tags
from trainer.files.byte_source import ByteSource

_SEARCHED = 65_536  # bytes in which the first frame must begin
_BLOCK = 2**20
_HEADER = 4
_MPEG1 = 3
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of MPEG-1 and of the later ones."""
_VBRI_OFFSET = 4 + 32
_SURE = 3  # frames in a row: two bytes that look like a header are common in other data


@dataclass(frozen=True, slots=True, kw_only=True)
class Mpeg:
    """Where the frames begin, and the bytes that the index announces from there; 0 where there is no index."""

    start: int
    announced: int


def find(source: ByteSource, offset: int = 0) -> Mpeg | None:
    """The frames of an MP3 from `offset` on, behind its tags; None where there are none."""
    offset = audio_tags.skipped(source, offset)
    data = source.at(offset, _SEARCHED)
    at = _first(data)
    if at is None:
        return None
    return Mpeg(start=offset + at, announced=_index_bytes(data[at:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Samples in the whole frames, and whether the last frame lacks bytes."""

    samples: int
    cut: bool


def count(source: ByteSource, start: int, end: int) -> Count:
    """Walk over all frames. Between them may lie what is no frame; behind the last one it is not audio."""
    frames, per_frame, at = 0, 0, start
    block_at, data = start, b""
    while at < end:
        if at + _HEADER > block_at + len(data):
            block_at, data = at, source.at(at, min(_BLOCK, end - at))
        length = _length(data, at - block_at)
        if length is None:
            following = _first(source.at(at, min(_SEARCHED, end - at)))
            if following is None:
                return Count(samples=frames * per_frame, cut=end - at < _HEADER and data[at - block_at] == 0xFF)
            at += following
            continue
        if at + length > end:
            return Count(samples=frames * per_frame, cut=True)
        per_frame = 1152 if data[at - block_at + 1] >> 3 & 3 == _MPEG1 else 576
        frames, at = frames + 1, at + length
    return Count(samples=frames * per_frame, cut=False)


def _first(data: bytes) -> int | None:
    """Where frames follow each other, up to the end of `data` or three in a row."""
    at = data.find(b"\xff")
    while at >= 0:
        place, count = at, 0
        while count < _SURE and (length := _length(data, place)):
            place, count = place + length, count + 1
        if count and (count == _SURE or place >= len(data)):
            return at
        at = data.find(b"\xff", at + 1)
    return None


def _length(data: bytes, at: int) -> int | None:
    """Bytes of the layer III frame whose header is at `at`; None where no such header is."""
    if len(data) - at < _HEADER or data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:
        return None
    version, kbits, rate = data[at + 1] >> 3 & 3, data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or kbits in (0, 15) or rate == 3:
        return None
    samples = 144 if version == _MPEG1 else 72
    return samples * 1000 * _KBITS[version == _MPEG1][kbits] // _RATES[version][rate] + (data[at + 2] >> 1 & 1)


def _index_bytes(frame: bytes) -> int:
    """Bytes of all frames by the index in the first one; 0 where it has none, or one that does not say."""
    mono, mpeg1 = frame[3] >> 6 == 3, frame[1] >> 3 & 3 == _MPEG1
    side = (17 if mono else 32) if mpeg1 else (9 if mono else 17)
    xing = frame[4 + side : 4 + side + 16]
    if xing[:4] in (b"Xing", b"Info") and len(xing) == 16:
        flags = xing[7]
        if flags & 2:
            return struct.unpack_from(">I", xing, 12 if flags & 1 else 8)[0]
    vbri = frame[_VBRI_OFFSET : _VBRI_OFFSET + 14]
    if vbri[:4] == b"VBRI" and len(vbri) == 14:
        return struct.unpack_from(">I", vbri, 10)[0]
    return 0
