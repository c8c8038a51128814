"""The files of an exported voice: what each says about itself, and opening them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import TrainingError, foreign_failures
from trainer.files import hash_record, onnx_runtime, plain_file
from trainer.files.plain_file import PlainFileError

MAX_BYTES = 2**30
VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is the same in every exported voice of one backbone."""

    format: str
    files: tuple[str, ...]
    about: Mapping[str, str]
    own: tuple[str, ...] = ("checkpoint_sha256",)
    """What each voice says of itself, the same in all its files."""

    def metadata(self, part: str, own: Mapping[str, str]) -> dict[str, str]:
        """What is written into the model `part`, and what has to be there to load it."""
        return {
            "format": self.format,
            "version": VERSION,
            "part": part,
            **self.about,
            **{name: own.get(name, "") for name in self.own},
        }

    def read(self, folder: Path) -> list[bytes]:
        """The bytes of all files; raises TrainingError(missing | too_large | wrong_format | …)."""
        found = {name: _read(folder / name) for name in self.files}
        listed = _read(folder / hash_record.NAME).decode("utf-8", "replace")
        # onnxruntime notices no flipped bit.
        problem = hash_record.disagreement(listed, hash_record.digests_of(found))
        if problem:
            raise TrainingError(
                f"{folder}/{problem}; copy the folder again, or export the voice again", cause="wrong_format"
            )
        return list(found.values())

    def opened(self, models: Sequence[bytes], threads: int) -> tuple[list[Any], dict[str, str]]:
        """Sessions, and what the voice says of itself; raises TrainingError(wrong_format) for what are not the parts of one voice.

        Raises RuntimeSetupError without onnxruntime.
        """
        sessions, found = [], []
        for part, model in zip(self.files, models, strict=True):
            session = _session(model, part, threads)
            about = session.get_modelmeta().custom_metadata_map
            if about != self.metadata(part, about):
                raise TrainingError(
                    f"{part} is not that part of a voice that this program exported; export the voice again",
                    cause="wrong_format",
                )
            sessions.append(session)
            found.append({name: about[name] for name in self.own})
        for part, own in zip(self.files, found, strict=True):
            if own != found[0]:
                raise TrainingError(
                    f"{self.files[0]} and {part} are of two voices; export the voice again", cause="wrong_format"
                )
        return sessions, found[0]


def _read(path: Path) -> bytes:
    try:
        return plain_file.read(path, limit=MAX_BYTES)
    except PlainFileError as error:
        cause = "missing" if error.cause in ("missing", "no_directory") else error.cause
        raise TrainingError(
            f"{path}: {error}; give a folder that holds all files of a voice (voice export onnx VOICE --output DIR), or a checkpoint",
            cause=cause,
        ) from error


def _session(model: bytes, part: str, threads: int) -> Any:
    with foreign_failures(
        lambda line: TrainingError(
            f"{part}: onnxruntime cannot load it ({line}); export the voice again", cause="wrong_format"
        )
    ):
        return onnx_runtime.open_session(model, threads=threads)
