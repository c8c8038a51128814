"""What a container says about its own size, where libsndfile believes the file instead of the header."""

from __future__ import annotations

import os
import struct

_HIDDEN_BYTES = 65_536  # unparsable bytes behind a WAV's data chunk; beyond it they are audio that the header hides
_OGG_TAIL = 131_072  # longer than the longest page (65,307 bytes), so the last page starts inside
_OGG_LAST_PAGE = 0x04


def announced_size_problem(descriptor: int) -> str | None:
    """Describe a WAV header (RIFF, Microsoft/IBM 1991) whose data size is not the file's; None when it agrees or the file is no WAV."""
    size = os.fstat(descriptor).st_size
    head = os.pread(descriptor, 12, 0)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    offset, seen_data = 12, False
    while offset + 8 <= size:
        name, length = struct.unpack("<4sI", os.pread(descriptor, 8, offset))
        if seen_data and not all(32 <= byte < 127 for byte in name):
            break
        end = offset + 8 + length
        if name == b"data":
            seen_data = True
            if end > size:
                return f"the header announces {length} bytes of samples but only {size - offset - 8} are there"
        offset = end + (end & 1)
    hidden = size - min(offset, size)
    if seen_data and hidden > _HIDDEN_BYTES:
        return f"the header ends the samples {hidden} bytes before the end of the file"
    return None


def has_end_of_stream(descriptor: int) -> bool:
    """Whether an Ogg file (RFC 3533) closes with a complete page that carries the end-of-stream flag."""
    size = os.fstat(descriptor).st_size
    start = max(size - _OGG_TAIL, 0)
    tail = os.pread(descriptor, size - start, start)
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return False
    segments = tail[page + 26]
    body = sum(tail[page + 27 : page + 27 + segments])
    return bool(tail[page + 5] & _OGG_LAST_PAGE) and len(tail) >= page + 27 + segments + body
