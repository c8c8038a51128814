"""A natural voice in numpy: symbols of the misaki alphabet in, 24 kHz out, whatever computes the networks."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict
from typing import ClassVar

import numpy as np

from trainer.models.natural import speak
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.finishing import Rendered, check_duration
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.passages import Passage
from trainer.voice.natural_speaker import NaturalSpeaker


class NaturalNarrator(Narrator):
    """A subclass computes the three networks."""

    sample_rate: ClassVar[int] = speak.SAMPLE_RATE
    speaker: NaturalSpeaker

    @abstractmethod
    def times(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(P,) int64 -> (P,) text frames as real numbers at the base's pace, and what `melody` reads of each symbol (P, width)."""

    @abstractmethod
    def melody(self, encoded: np.ndarray, symbol_of_text_frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(P, width) and (T / 2,) int64 -> (T,) Hz of the base, and (T,) log energy."""

    @abstractmethod
    def spectra(
        self, symbols: np.ndarray, symbol_of_frame: np.ndarray, f0: np.ndarray, energy: np.ndarray
    ) -> np.ndarray:
        """(P,) and (T,) int64, (T,) Hz and log energy -> (T, SPECTRA * BINS)."""

    def prosody(self, passage: Passage, delivery: Delivery) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(P,) int64 text frames, (T,) Hz and (T,) log energy of this speaker in this delivery."""
        speaker = asdict(self.speaker)
        times, encoded = self.times(passage.symbols)
        frames = speak.text_frames(times, passage.is_pause, speaker, rate=delivery.rate, pause=delivery.pause)
        check_duration(float(frames.sum()) * speak.TEXT_FRAME_S, passage, rate=delivery.rate)
        f0, energy = self.melody(encoded, speak.symbol_of_frame(frames))
        return frames, speak.moved(f0, speaker, pitch=delivery.pitch, liveliness=delivery.liveliness), energy

    def render(self, passage: Passage, delivery: Delivery, noise: np.random.Generator) -> Rendered:
        """As `Narrator.render`."""
        text_frames, f0, energy = self.prosody(passage, delivery)
        frames = speak.FRAMES_PER_TEXT_FRAME * text_frames
        spectra = self.spectra(passage.symbols, speak.symbol_of_frame(frames), f0, energy)
        return Rendered(
            wave=speak.synthesise(spectra, f0, noise),
            frames=frames,
            voicing=(f0 > speak.VOICED_FROM_HZ).astype(np.float32),
            sample_rate=speak.SAMPLE_RATE,
            hop=speak.HOP,
        )
