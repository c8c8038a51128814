"""Small pictures inside a page: a mel spectrogram as a PNG with a palette, the same bytes for the same sound."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np  # each function that draws imports it: a page that shows ready pictures needs none

HEIGHT, LONGEST = 80, 480
"""Pixels: one row for each mel band, at most so many columns."""
_STOPS = ((0, 0, 4), (59, 15, 112), (140, 41, 129), (222, 73, 104), (254, 159, 109), (252, 253, 191))
"""Colours of the palette from silent to loud; those between are mixed."""


def mel(wave: np.ndarray, rate: int) -> bytes:
    """A PNG of the log-mel spectrogram of (n,) samples, low bands at the bottom; raises RuntimeSetupError where torch is missing."""
    import numpy as np

    from trainer.evaluation.pictures import log_mel

    levels = log_mel(wave, rate)
    # A column is the mean of its frames: picking single ones would show noise.
    columns = np.array_split(levels, min(levels.shape[1], LONGEST), axis=1)
    picture = np.stack([column.mean(axis=1) for column in columns], axis=1)
    low, high = float(picture.min()), float(picture.max())
    return png((picture[::-1] - low) / max(high - low, 1e-6))


def png(levels: np.ndarray) -> bytes:
    """A PNG of (rows, columns) levels between 0 and 1, the first row on top."""
    import numpy as np

    pixels = np.clip(np.rint(levels * 255), 0, 255).astype(np.uint8)
    rows, columns = pixels.shape
    lines = np.hstack([np.zeros((rows, 1), np.uint8), pixels])  # the filter type 0 before each line
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", _palette()), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def inside(picture: bytes) -> str:
    """A data URI of a PNG's bytes."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _palette() -> bytes:
    import numpy as np

    places = np.linspace(0.0, len(_STOPS) - 1, 256)
    mixed = [np.interp(places, range(len(_STOPS)), [stop[part] for stop in _STOPS]) for part in range(3)]
    return np.rint(np.stack(mixed, axis=1)).astype(np.uint8).tobytes()
