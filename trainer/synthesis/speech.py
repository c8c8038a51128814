"""What a voice gives back: samples that can be saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.audio.audio_file import AudioFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """`wave` (n,) float32 within -1..1 at `sample_rate` Hz, what it says, and what a person should know about the text."""

    wave: np.ndarray
    sample_rate: int
    text: str
    warnings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.wave) / self.sample_rate

    def save(self, path: str | Path) -> Path:
        """Write 16-bit WAV or FLAC, by the name's ending; whole or not at all. Raises DataError and TrainingError as `AudioFile`."""
        with AudioFile(Path(path), sample_rate=self.sample_rate) as file:
            file.write(self.wave)
        return Path(path)
