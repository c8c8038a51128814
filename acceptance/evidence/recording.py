"""The source recording: found, measured and tested without ever blocking on it or following it out of the workspace."""

from __future__ import annotations

import builtins
import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceptance.failure import DataBlocked
from acceptance.objective import Settings
from acceptance.policy import Policy
from acceptance.runtimes.signals import uninterrupted
from trainer.errors import DataError
from trainer.files import lfs_pointer, plain_file
from trainer.files.plain_file import PlainFileError
from trainer.preparation.prepare_settings import PrepareSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecording:
    """A readable regular file inside the workspace."""

    path: Path
    relative: str
    bytes: int
    sha256: str
    head: builtins.bytes
    """The first 1024 bytes."""

    @property
    def lfs_oid(self) -> str | None:
        """The object id when the file is a Git LFS pointer (also with a byte order mark, CRLF or padding), `unknown` when it names none."""
        return lfs_pointer.pointer_oid(self.head)


def find(workspace: Path, relative: str) -> SourceRecording:
    """The recording; raises DataBlocked audio_missing, audio_not_regular (directory, FIFO, link out of the workspace) or audio_unreadable."""
    path = workspace / relative
    try:
        resolved = path.resolve(strict=True)
    except FileNotFoundError as error:
        raise DataBlocked(f"no recording at {relative}", cause="audio_missing", path=relative) from error
    except (OSError, RuntimeError) as error:
        reason = str(error).replace(f"{workspace}/", "")
        raise DataBlocked(
            f"{relative} cannot be reached: {reason}", cause="audio_not_regular", path=relative
        ) from error
    if not resolved.is_relative_to(workspace):
        raise DataBlocked(
            f"{relative} is a link that leads out of the workspace", cause="audio_not_regular", path=relative
        )
    try:
        with plain_file.opened(resolved, root=workspace) as file:
            head = file.read(lfs_pointer.HEAD_BYTES)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return SourceRecording(path=resolved, relative=relative, bytes=file.tell(), sha256=digest, head=head)
    except PlainFileError as error:
        if error.mode is None:
            raise DataBlocked(f"{relative}: {error}", cause="audio_unreadable", path=relative) from error
        raise DataBlocked(
            f"{relative} is {_kind(error.mode)}, not a file", cause="audio_not_regular", path=relative
        ) from error


def check_size(recording: SourceRecording, settings: Settings) -> None:
    """The recording is strictly larger than the objective's minimum; a small LFS pointer is named as what it is."""
    if recording.bytes > settings.min_audio_bytes:
        return
    cause = "lfs_pointer" if recording.lfs_oid else "audio_too_small"
    raise DataBlocked(
        f"{recording.relative} has {recording.bytes} bytes; more than {settings.min_audio_bytes} are needed",
        cause=cause,
        **({"lfs_oid": recording.lfs_oid} if recording.lfs_oid else {}),
    )


def check_not_lfs_pointer(recording: SourceRecording) -> None:
    """The recording is audio, not the text that Git LFS leaves in its place."""
    if recording.lfs_oid:
        raise DataBlocked(
            f"{recording.relative} is a Git LFS pointer, not audio", cause="lfs_pointer", lfs_oid=recording.lfs_oid
        )


def decode(recording: SourceRecording, settings: Settings, policy: Policy | None = None) -> dict[str, object]:
    """Decode the whole recording as a stream; returns duration_s, sample_rate, channels, format and mix.

    `mix` says which channels preparation will use under the policy, and why; None where it is the mean of all as it is.
    Raises DataBlocked with the cause that the decoder gives (audio_undecodable, audio_truncated, …) or audio_too_long.
    """
    # With numpy, which a session that ends before this does without. An import that is cut short leaves a lock that nobody opens.
    with uninterrupted():
        from trainer.audio import recording as trainer_recording

    limit_s = settings.max_audio_hours * 3600
    asked: dict[str, Any] = policy.preparation() if policy else {}
    frames = 0
    try:
        found = trainer_recording.inspect(recording.path)
        survey = trainer_recording.Survey(found)
        for block in trainer_recording.blocks(found):
            frames += len(block)
            survey.add(block)
            if frames > limit_s * found.sample_rate:
                raise DataBlocked(
                    f"{recording.relative} is longer than {settings.max_audio_hours:g} hours", cause="audio_too_long"
                )
        mix = survey.recording(PrepareSettings(**asked)).mix
    except DataError as error:
        message = str(error).replace(str(recording.path), recording.relative)
        raise DataBlocked(message, cause=error.cause) from error
    return {
        "duration_s": round(frames / found.sample_rate, 3),
        "sample_rate": found.sample_rate,
        "channels": found.channels,
        "format": found.format,
        "mix": mix.why or None,
    }


def _kind(mode: int) -> str:
    names = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return names.get(stat.S_IFMT(mode), "something else")
