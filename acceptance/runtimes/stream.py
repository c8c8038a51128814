"""The log tee: what a job prints goes to a file byte for byte, and as decoded lines to whoever watches, in bounded memory.

One thread feeds bytes; the watching thread takes lines out with `deliver`. A watcher that is slow slows the job down (the queue is
bounded); a watcher that raises, or is gone, never costs a byte of the file.
"""

from __future__ import annotations

import os
import queue
import threading
import time
import warnings
from collections import deque
from pathlib import Path

from acceptance.runtimes.base import LineSink
from trainer.job.contract import MARKERS, PROGRESS

TAIL_LINES = 200
HEAD_LINES = 5
MAX_LINE_BYTES = 64 * 2**10
"""A line longer than this (a child that prints without newlines) is delivered in pieces."""
MAX_TAIL_LINE_CHARS = 4000
_PROGRESS = PROGRESS.encode()
ALWAYS = tuple(marker.encode() for marker in MARKERS)
"""Lines that the watcher gets whatever else there is."""
PROGRESS_EVERY_S = 0.1
WATCHED_LINES_PER_S = 1000
"""For a job: far more than anybody reads, and little work."""
_QUEUED_CHUNKS = 256
_CHUNK_BYTES = 64 * 2**10


class GuardedSink:
    """A line sink that cannot hurt the run: its first exception becomes a warning and ends the live output (KeyboardInterrupt passes)."""

    def __init__(self, on_line: LineSink) -> None:
        self._on_line: LineSink | None = on_line

    def __call__(self, line: str) -> None:
        """Pass one line on; nothing after the first failure."""
        if self._on_line is None:
            return
        try:
            self._on_line(line)
        except Exception as error:  # whatever a display does, the job is not its victim
            self._on_line = None
            warnings.warn(f"live output ended, the log goes on: {error!r}", RuntimeWarning, stacklevel=2)


class LogTee:
    """Writes a stream to `path` up to `max_bytes`, keeps its last lines, and hands its lines over.

    `lines_per_s`: of a stream that has more lines, the rest goes only to the file, the tail and, where it is one of `ALWAYS` or the latest
    progress, to the watcher: the work per second stays bounded whatever a job prints.
    Raises OSError when the file cannot be opened; a later write error ends the file (`write_error` says why), not the stream.
    """

    def __init__(self, path: Path, max_bytes: int, *, lines_per_s: int | None = None) -> None:
        self._lines_per_s = lines_per_s
        self._second, self._lines_left = 0, lines_per_s or 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o644)
        self._room = max_bytes
        self._limit = max_bytes
        self._cut = False
        self._open_line = b""
        self._progress: bytes | None = None
        self._progress_at = 0.0
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._lock = threading.Lock()
        self._queue: queue.Queue[list[str]] = queue.Queue(maxsize=_QUEUED_CHUNKS)
        self._watched = True
        self.path = path
        self.bytes_seen = 0
        self.write_error: OSError | None = None
        self.ended = threading.Event()

    # --- the feeding thread ---------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take any bytes: first to the file, then as lines."""
        for start in range(0, len(data), _CHUNK_BYTES):
            piece = data[start : start + _CHUNK_BYTES]
            self.bytes_seen += len(piece)
            self._write(piece)
            self._split(piece)

    def end(self) -> None:
        """The stream is over: deliver what has no newline, close the file. Idempotent."""
        if self.ended.is_set():
            return
        if self._progress is not None:
            self._give([_decoded(self._progress)])
        if self._open_line:
            self._hand_over([self._open_line])
            self._open_line = b""
        self.ended.set()
        with self._lock:
            os.close(self._fd)
            self._fd = -1

    def _write(self, piece: bytes) -> None:
        if self._cut or self.write_error is not None:
            return
        kept = piece[: self._room]
        self._room -= len(kept)
        try:
            self._write_all(kept)
            if len(kept) < len(piece):
                self._cut = True
                self._write_all(f"\n[log cut here: more than {self._limit} bytes]\n".encode())
        except OSError as error:
            self.write_error = error

    def _write_all(self, data: bytes) -> None:
        with self._lock:
            while data and self._fd >= 0:
                data = data[os.write(self._fd, data) :]

    def _split(self, piece: bytes) -> None:
        beyond = self._beyond_budget(piece)
        self._take(piece[: len(piece) - len(beyond)])
        if beyond:
            self._sample(beyond)

    def _take(self, piece: bytes) -> None:
        """Every line."""
        *whole, rest = (self._open_line + piece).split(b"\n")
        while len(rest) >= MAX_LINE_BYTES:
            whole.append(rest[:MAX_LINE_BYTES])
            rest = rest[MAX_LINE_BYTES:]
        self._open_line = rest
        if whole:
            self._hand_over(whole)

    def _beyond_budget(self, piece: bytes) -> bytes:
        """What of `piece` has lines for which this second has no room left."""
        if self._lines_per_s is None:
            return b""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._lines_left = second, self._lines_per_s
        parts = piece.split(b"\n", self._lines_left) if self._lines_left else [piece]
        beyond = parts[-1] if len(parts) > self._lines_left else b""
        self._lines_left -= len(parts) - 1
        return beyond

    def _sample(self, piece: bytes) -> None:
        """Of too much: what always counts, the end for the tail, and the latest progress."""
        if b"\n" not in piece:  # of a line that has no end the beginning is kept
            self._open_line = self._open_line or piece[: MAX_LINE_BYTES - 1]
            return
        data = b"\n" + self._open_line + piece
        *whole, self._open_line = data.rsplit(b"\n", TAIL_LINES + 1)[1:]
        self._remember(whole)
        notable = [mark.decode() for mark in ALWAYS if b"\n" + mark + b"\n" in data]
        progress = next((line for line in reversed(whole) if line.startswith(_PROGRESS)), None)
        self._progress = self._progress if progress is None else progress
        now = time.monotonic()
        if self._progress is not None and now - self._progress_at >= PROGRESS_EVERY_S:
            self._progress_at = now
            notable.append(_decoded(self._progress))
            self._progress = None
        self._give(notable)

    def _hand_over(self, raw: list[bytes]) -> None:
        self._remember(raw)
        self._give([_decoded(line) for line in raw])

    def _remember(self, raw: list[bytes]) -> None:
        """Head and tail; a character is at most four bytes."""
        with self._lock:
            for line in raw[: HEAD_LINES - len(self._head)]:
                self._head.append(line[: 4 * MAX_TAIL_LINE_CHARS])
            self._tail.extend(line[: 4 * MAX_TAIL_LINE_CHARS] for line in raw[-TAIL_LINES:])

    def _give(self, lines: list[str]) -> None:
        while lines and self._watched:
            try:
                self._queue.put(lines, timeout=0.2)
                break
            except queue.Full:
                continue

    # --- the watching thread --------------------------------------------------------------------------------------------

    def deliver(self, on_line: LineSink, timeout_s: float) -> bool:
        """Give every waiting line to `on_line`, waiting up to `timeout_s` for the first; True when there was one."""
        try:
            lines = self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
        except queue.Empty:
            return False
        for line in lines:
            on_line(line)
        return True

    def unwatch(self) -> None:
        """Nobody will call `deliver` any more; the feeding thread never waits again."""
        self._watched = False

    def tail(self) -> tuple[str, ...]:
        """The last 200 lines so far, each cut at 4000 characters."""
        with self._lock:
            return tuple(_decoded(line)[:MAX_TAIL_LINE_CHARS] for line in self._tail)

    def head(self) -> tuple[str, ...]:
        """The first 5 lines, each cut at 4000 characters."""
        with self._lock:
            return tuple(_decoded(line)[:MAX_TAIL_LINE_CHARS] for line in self._head)


def _decoded(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", errors="replace")
