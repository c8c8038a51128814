"""SHA-256 and header of many files, through one descriptor each, on several threads (OpenSSL works without the interpreter's lock).

A file that is not the one that was listed, before or after it was read, gives no digest but an error.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from trainer.audio.sound_file import SoundFile
from trainer.dataset import clip_names as names
from trainer.dataset.clip_listing import Identity
from trainer.errors import DataError
from trainer.files import lfs_pointer, plain_file
from trainer.files.plain_file import PlainFileError

_BUFFER = 2**20
_BATCH_FILES = 64
_BATCH_BYTES = 32 * 2**20
"""A task of this many files or bytes: handing over each small file alone would cost more than hashing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an audio file says of itself."""

    duration_s: float
    sample_rate: int
    channels: int
    format: str
    subtype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A file's content; `header` only where it was asked for."""

    sha256: str
    bytes: int
    header: Header | None = None


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def read_all(
    root: Path,
    files: Mapping[str, Identity],
    *,
    headers: bool,
    threads: int | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> dict[str, Content | HarnessError]:
    """The content of every file by its path, or why it has none; `on_bytes` hears how many more are done, from any thread."""
    workers = _workers(threads or cores(), sum(identity.bytes for identity in files.values()))
    results: dict[str, Content | HarnessError] = {}
    batches = list(_batches(files))
    if workers == 1:
        for batch in batches:
            results.update(_batch(root, batch, headers, on_bytes))
        return results
    with ThreadPoolExecutor(workers) as pool:
        for part in pool.map(lambda batch: _batch(root, batch, headers, on_bytes), batches):
            results.update(part)
    return results


def _workers(threads: int, total: int) -> int:
    """No more threads than batches' worth of bytes: on tiny files they would only wait for each other."""
    return max(1, min(threads, total // _BATCH_BYTES))


_Batch = tuple[str, list[tuple[str, Identity]]]
"""A folder, and names in it."""


def _batches(files: Mapping[str, Identity]) -> Iterator[_Batch]:
    """Files of one folder together, the large ones first, so that no thread is left with a large one at the end."""
    ordered = sorted(files.items(), key=lambda item: (-(item[1].bytes // _BUFFER), item[0].rpartition("/")[0], item[0]))
    batch: list[tuple[str, Identity]] = []
    current, total = "", 0
    for path, identity in ordered:
        folder, _, name = path.rpartition("/")
        if batch and (folder != current or len(batch) >= _BATCH_FILES or total + identity.bytes > _BATCH_BYTES):
            yield current, batch
            batch, total = [], 0
        current, total = folder, total + identity.bytes
        batch.append((name, identity))
    if batch:
        yield current, batch


def _batch(
    root: Path, batch: _Batch, headers: bool, on_bytes: Callable[[int], None] | None
) -> dict[str, Content | HarnessError]:
    folder, members = batch
    prefix = f"{folder}/" if folder else ""
    try:
        directory = plain_file.folder(root, folder.split("/") if folder else ())
    except PlainFileError as error:
        return {prefix + name: _error(root / prefix / name, str(error)) for name, _ in members}
    buffer = memoryview(bytearray(min(_BUFFER, max(identity.bytes for _, identity in members) + 1)))
    results: dict[str, Content | HarnessError] = {}
    try:
        for name, identity in members:
            try:
                results[prefix + name] = _content(root / prefix / name, directory, identity, buffer, headers, on_bytes)
            except HarnessError as error:
                results[prefix + name] = error
            except OSError as error:  # PlainFileError has no strerror: its text says what the path is
                results[prefix + name] = _error(root / prefix / name, f"cannot be read ({error.strerror or error})")
    finally:
        os.close(directory)
    return results


def _content(
    path: Path,
    directory: int,
    identity: Identity,
    buffer: memoryview,
    headers: bool,
    on_bytes: Callable[[int], None] | None,
) -> Content:
    descriptor = plain_file.descriptor_in(directory, path.name)
    try:
        _require_same(path, descriptor, identity)
        digest, count = hashlib.sha256(), 0
        while received := os.readv(descriptor, [buffer]):
            if headers and not count:
                _refuse_pointer(path, bytes(buffer[: min(received, lfs_pointer.HEAD_BYTES)]))
            digest.update(buffer[:received])
            count += received
            if on_bytes:
                on_bytes(received)
        header = _header(path, descriptor) if headers else None
        _require_same(path, descriptor, identity)
        if count != identity.bytes:
            raise _changed(path)
    finally:
        os.close(descriptor)
    return Content(sha256=digest.hexdigest(), bytes=count, header=header)


def _require_same(path: Path, descriptor: int, identity: Identity) -> None:
    if Identity.of(os.fstat(descriptor)) != identity:
        raise _changed(path)


def _header(path: Path, descriptor: int) -> Header:
    if not os.fstat(descriptor).st_size:
        raise _error(path, "is empty; copy it again or remove it", cause="audio_undecodable")
    try:
        with SoundFile(path, descriptor) as found:
            frames, rate = found.frames, found.sample_rate
            header = Header(
                duration_s=round(frames / rate, 6),
                sample_rate=rate,
                channels=found.channels,
                format=found.format,
                subtype=found.subtype,
            )
    except DataError as error:
        raise _error(path, str(error).removeprefix(f"{path}: "), cause=error.cause) from error
    if not frames:
        raise _error(path, "does not say how long it is; export it again as FLAC or WAV", cause="audio_undecodable")
    return header


def _refuse_pointer(path: Path, head: bytes) -> None:
    oid = lfs_pointer.pointer_oid(head)
    if oid is not None:
        raise _error(path, f"a Git LFS pointer (sha256:{oid}), not audio; run git lfs pull", cause="lfs_pointer")


def _changed(path: Path) -> HarnessError:
    return _error(path, "changed while it was read; leave it alone and run again", cause="audio_changed_during_run")


def _error(path: Path, text: str, *, cause: str = "audio_unreadable") -> HarnessError:
    if cause == "audio_unreadable":
        text += "; make it a regular file that this user can read"
    return HarnessError(f"{names.shown(str(path))}: {text}", cause=cause)
