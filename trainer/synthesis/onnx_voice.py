"""A voice exported to ONNX: spoken with onnxruntime and numpy alone, no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from trainer.errors import RuntimeSetupError, TrainingError
from trainer.files import onnx_runtime, plain_file
from trainer.files.plain_file import PlainFileError
from trainer.synthesis.delivery import SAMPLE_RATE, Delivery
from trainer.synthesis.excitation import pulse_train
from trainer.synthesis.finishing import HOP
from trainer.synthesis.narrator import Frames, MelNarrator
from trainer.synthesis.passages import Passage
from trainer.text.phones import SYMBOLS

FORMAT = "voice-acceptance/onnx"
VERSION = "1"
ACOUSTIC, VOCODER = "acoustic.onnx", "vocoder.onnx"
MAX_BYTES = 2**30


class OnnxVoice(MelNarrator):
    """Two ONNX models. `acoustic` turns symbols into mel, F0 and voicing; `vocoder` those, pulses and noise into a wave."""

    def __init__(self, acoustic: bytes, vocoder: bytes, *, threads: int = 1) -> None:
        """Raises TrainingError(wrong_format) for bytes that are not the two models of one voice, RuntimeSetupError without onnxruntime."""
        self._acoustic, about = _session(acoustic, ACOUSTIC, threads)
        self._vocoder, beside = _session(vocoder, VOCODER, threads)
        if about["checkpoint_sha256"] != beside["checkpoint_sha256"]:
            raise TrainingError(f"{ACOUSTIC} and {VOCODER} are of two voices", cause="wrong_format")
        self.checkpoint_sha256 = about["checkpoint_sha256"]

    @classmethod
    def load(cls, folder: str | Path, *, threads: int = 1) -> OnnxVoice:
        """The voice that `export` wrote into `folder`, ready to speak; raises as the constructor, and TrainingError(missing)."""
        voice = cls(*(_read(Path(folder) / name) for name in (ACOUSTIC, VOCODER)), threads=threads)
        voice.warm_up()
        return voice

    def acoustics(self, passage: Passage, delivery: Delivery) -> Frames:
        """As `MelNarrator.acoustics`."""
        scalars = {name: getattr(delivery, name) for name in ("rate", "pitch", "pause", "liveliness")}
        mel, f0, voicing, frames = self._acoustic.run(
            None,
            {
                "symbols": passage.symbols,
                "word_starts": passage.word_starts,
                **{name: np.array(value, np.float32) for name, value in scalars.items()},
            },
        )
        return Frames(mel=mel, f0=f0, voicing=voicing, frames=frames)

    def vocode(self, frames: Frames, noise: np.ndarray) -> np.ndarray:
        """As `MelNarrator.vocode`."""
        inputs = {
            "mel": frames.mel,
            "f0": frames.f0,
            "voicing": frames.voicing,
            "pulses": pulse_train(frames.f0),
            "noise": noise,
        }
        return self._vocoder.run(None, inputs)[0]


def metadata(part: str, checkpoint_sha256: str) -> dict[str, str]:
    """What is written into an exported model, and what has to be there to load it."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "part": part,
        "checkpoint_sha256": checkpoint_sha256,
        "sample_rate": str(SAMPLE_RATE),
        "hop": str(HOP),
        "symbols": json.dumps(SYMBOLS),
    }


def _read(path: Path) -> bytes:
    try:
        return plain_file.read(path, limit=MAX_BYTES)
    except PlainFileError as error:
        cause = "missing" if error.cause in ("missing", "no_directory") else error.cause
        raise TrainingError(
            f"{path}: {error}; give a folder that holds both files (voice export onnx VOICE --output DIR), or a checkpoint",
            cause=cause,
        ) from error


def _session(model: bytes, part: str, threads: int) -> tuple[Any, dict[str, str]]:
    try:
        session = onnx_runtime.open_session(model, threads=threads)
    except RuntimeSetupError:
        raise
    except Exception as error:  # onnxruntime raises types of its own, without a common one
        raise TrainingError(f"{part}: onnxruntime cannot load it", cause="wrong_format") from error
    found = session.get_modelmeta().custom_metadata_map
    if found != metadata(part, found.get("checkpoint_sha256", "")):
        raise TrainingError(f"{part} is not that part of a voice that this program exported", cause="wrong_format")
    return session, found
