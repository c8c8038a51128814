"""A finished voice in torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.audio import features
from trainer.models.acoustic import AcousticModel, Speaker
from trainer.models.vocoder import Vocoder
from trainer.synthesis.delivery import SAMPLE_RATE, Delivery
from trainer.synthesis.finishing import HOP
from trainer.synthesis.narrator import Frames, MelNarrator
from trainer.synthesis.passages import Passage

if (features.SAMPLE_RATE, features.HOP) != (SAMPLE_RATE, HOP):
    raise ImportError("synthesis is written for other features than trainer.audio.features has")


class Voice(MelNarrator):
    """Acoustic model, speaker and vocoder, in evaluation mode on the CPU; computed on as many threads as torch is set to.

    The same text, delivery and number of threads give the same bytes.
    """

    def __init__(
        self, acoustic: AcousticModel, speaker: Speaker, vocoder: Vocoder, *, checkpoint_sha256: str = ""
    ) -> None:
        self.acoustic, self.speaker, self.vocoder = acoustic.eval(), speaker, vocoder.eval()
        self.checkpoint_sha256 = checkpoint_sha256

    @classmethod
    def load(cls, path: str | Path) -> Voice:
        """The voice of a checkpoint, ready to speak; raises CheckpointError for a file that holds none."""
        from trainer.files import checkpoint

        voice = cls.restored(*checkpoint.read_with_sha256(Path(path)))
        voice.warm_up()
        return voice

    @classmethod
    def restored(cls, document: Mapping[str, Any], sha256: str) -> Voice:
        """The voice of a checkpoint's document; raises CheckpointError."""
        from trainer.voice.document import restore

        found = restore(document)
        return cls(found.acoustic, found.speaker, found.vocoder, checkpoint_sha256=sha256)

    @torch.inference_mode()
    def acoustics(self, passage: Passage, delivery: Delivery) -> Frames:
        """As `MelNarrator.acoustics`."""
        found = self.acoustic.infer(
            torch.from_numpy(passage.symbols),
            torch.from_numpy(passage.word_starts),
            self.speaker,
            rate=delivery.rate,
            pitch=delivery.pitch,
            pause=delivery.pause,
            liveliness=delivery.liveliness,
        )
        return Frames(
            mel=found.mel.numpy(), f0=found.f0.numpy(), voicing=found.voicing.numpy(), frames=found.frames.numpy()
        )

    @torch.inference_mode()
    def vocode(self, frames: Frames, noise: np.ndarray) -> np.ndarray:
        """As `MelNarrator.vocode`."""
        inputs = (frames.mel, frames.f0, frames.voicing, noise)
        return self.vocoder(*(torch.from_numpy(values)[None] for values in inputs))[0].numpy()
