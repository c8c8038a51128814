"""Tags around the audio: where those at the end of a file begin, and how long one at a place is.

ID3v1 and ID3v2 (id3.org), APE (wiki.hydrogenaud.io), Lyrics3. They hold titles and pictures, no sound.
"""

from __future__ import annotations

import struct

from trainer.files.byte_source import ByteSource

_ID3V1 = 128
_APE_FOOTER = 32
_APE_HAS_HEADER = 0x80000000
_ID3V2_HEADER = 10
_ID3V2_HAS_FOOTER = 0x10
_LYRICS_END = 15  # six digits of length and LYRICS200


def audio_end(source: ByteSource) -> int:
    """Where the whole tags at the end of a file begin; its size where it has none."""
    end = source.size
    while length := _length_before(source, end):
        end -= length
    return end


def length_at(source: ByteSource, offset: int) -> int:
    """Bytes of the tag that begins at `offset`, also of one that is cut short; 0 where none begins."""
    head = source.at(offset, _APE_FOOTER)
    if head[:3] == b"ID3" and len(head) >= _ID3V2_HEADER and max(head[6:10]) < 128:
        return _id3v2_length(head)
    if head[:8] == b"APETAGEX" and len(head) == _APE_FOOTER:
        return struct.unpack_from("<I", head, 12)[0] + _APE_FOOTER
    if head[:3] == b"TAG" and source.size - offset <= _ID3V1:
        return _ID3V1
    return 0


def skipped(source: ByteSource, offset: int) -> int:
    """The first place from `offset` on where no tag begins."""
    while offset < source.size and (length := length_at(source, offset)):
        offset += length
    return min(offset, source.size)


def _length_before(source: ByteSource, end: int) -> int:
    """Bytes of the tag that ends at `end`; 0 where none does."""
    if end >= _ID3V1 and source.at(end - _ID3V1, 3) == b"TAG":
        return _ID3V1
    footer = source.at(end - _APE_FOOTER, _APE_FOOTER) if end >= _APE_FOOTER else b""
    if footer[:8] == b"APETAGEX":
        size, _, flags = struct.unpack_from("<3I", footer, 12)
        length = size + (_APE_FOOTER if flags & _APE_HAS_HEADER else 0)
        return length if _APE_FOOTER <= length <= end else 0
    if footer[-9:] == b"LYRICS200" and footer[-_LYRICS_END:-9].isdigit():
        length = int(footer[-_LYRICS_END:-9]) + _LYRICS_END
        return length if length <= end else 0
    if footer[-_ID3V2_HEADER:-7] == b"3DI" and max(footer[-4:]) < 128:
        length = _id3v2_length(footer[-_ID3V2_HEADER:])
        return length if length <= end else 0
    return 0


def _id3v2_length(head: bytes) -> int:
    """Header, body of seven bits a byte, and the footer that a flag tells of."""
    body = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return _ID3V2_HEADER + body + (_ID3V2_HEADER if head[5] & _ID3V2_HAS_FOOTER else 0)
