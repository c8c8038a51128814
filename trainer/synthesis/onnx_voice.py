"""A voice exported to ONNX: spoken with onnxruntime and numpy alone, no torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from trainer.synthesis import onnx_natural
from trainer.synthesis.delivery import SAMPLE_RATE, Delivery
from trainer.synthesis.excitation import pulse_train
from trainer.synthesis.finishing import HOP
from trainer.synthesis.narrator import Frames, MelNarrator, Narrator
from trainer.synthesis.onnx_parts import Form
from trainer.synthesis.passages import Passage
from trainer.text.phones import SYMBOLS

ACOUSTIC, VOCODER = "acoustic.onnx", "vocoder.onnx"
FORM = Form(
    format="voice-acceptance/onnx",
    files=(ACOUSTIC, VOCODER),
    about={"sample_rate": str(SAMPLE_RATE), "hop": str(HOP), "symbols": json.dumps(SYMBOLS)},
)


def load(folder: Path, *, threads: int = 1) -> Narrator:
    """The voice that `export` wrote into `folder`, of whichever generation it is; raises as `OnnxVoice.load`."""
    of_natural = any((folder / name).exists() for name in onnx_natural.FORM.files)
    return (onnx_natural.OnnxNaturalVoice if of_natural else OnnxVoice).load(folder, threads=threads)


class OnnxVoice(MelNarrator):
    """Two ONNX models. `acoustic` turns symbols into mel, F0 and voicing; `vocoder` those, pulses and noise into a wave."""

    def __init__(self, *models: bytes, threads: int = 1) -> None:
        """Raises as `Form.opened`."""
        (self._acoustic, self._vocoder), own = FORM.opened(models, threads)
        self.checkpoint_sha256 = own["checkpoint_sha256"]

    @classmethod
    def load(cls, folder: str | Path, *, threads: int = 1) -> OnnxVoice:
        """The voice that `export` wrote into `folder`, ready to speak; raises as the constructor, and TrainingError(missing)."""
        voice = cls(*FORM.read(Path(folder)), threads=threads)
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
