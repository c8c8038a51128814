"""A natural voice in torch: 24 kHz, symbols of the misaki alphabet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from trainer.models.natural import Melody, NaturalModel, alphabet, sound
from trainer.models.natural.model import FRAMES_PER_TEXT_FRAME, whole_frames
from trainer.models.natural.pronunciations import phonemes
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.finishing import KEPT_AFTER_S, KEPT_BEFORE_S, Rendered, check_duration
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.passages import Alphabet, Passage
from trainer.text import Word
from trainer.voice import natural_document
from trainer.voice.natural_document import NaturalSpeaker

_TEXT_FRAME_S = FRAMES_PER_TEXT_FRAME / sound.FRAME_RATE
_BEFORE, _AFTER = (round(seconds / _TEXT_FRAME_S) for seconds in (KEPT_BEFORE_S, KEPT_AFTER_S))
"""Least text frames of the quiet at both ends: a sentence that starts and stops like a switched tape is heard as one."""
_LOWEST_HZ = 45.0
"""What is voiced stays voiced, however low the speaker."""


def _spelt(words: Sequence[Word]) -> tuple[np.ndarray, np.ndarray]:
    """Symbols between two edges; these voices do not ask where words start."""
    symbols = alphabet.ids(phonemes(words))
    return symbols, np.zeros(len(symbols), np.float32)


MISAKI = Alphabet(is_pause=alphabet.IS_PAUSE, is_vowel=alphabet.IS_VOWEL, spell=_spelt)


class NaturalVoice(Narrator):
    """The model in evaluation mode on the CPU; the same text, delivery and number of threads give the same bytes."""

    sample_rate: ClassVar[int] = sound.SAMPLE_RATE
    alphabet: ClassVar[Alphabet] = MISAKI

    def __init__(self, model: NaturalModel, speaker: NaturalSpeaker, *, checkpoint_sha256: str = "") -> None:
        self.model, self.speaker = model.eval(), speaker
        self.checkpoint_sha256 = checkpoint_sha256

    @classmethod
    def restored(cls, document: Mapping[str, Any], sha256: str) -> NaturalVoice:
        """The voice of a checkpoint's document; raises CheckpointError."""
        found = natural_document.restore(document)
        return cls(found.model, found.speaker, checkpoint_sha256=sha256)

    @torch.inference_mode()
    def render(self, passage: Passage, delivery: Delivery, noise: np.random.Generator) -> Rendered:
        """As `Narrator.render`."""
        symbols = torch.from_numpy(passage.symbols)
        melody = self.model.melody
        encoded = melody.text(symbols[None])
        frames = self._times(melody.times(encoded), passage, delivery)
        check_duration(float(frames.sum()) * _TEXT_FRAME_S, passage, rate=delivery.rate)
        said = self._moved(melody(encoded, frames), delivery)
        spectra = self.model.decode(symbols, frames, said)
        drawn = sound.white_noise(said.f0.shape[1], noise)
        return Rendered(
            wave=sound.synthesise(spectra, said.f0, drawn[None])[0].numpy(),
            frames=FRAMES_PER_TEXT_FRAME * frames.numpy(),
            voicing=(said.f0[0] > sound.VOICED_FROM_HZ).float().numpy(),
            sample_rate=sound.SAMPLE_RATE,
            hop=sound.HOP,
        )

    def _times(self, times: torch.Tensor, passage: Passage, delivery: Delivery) -> torch.Tensor:
        """(P,) text frames at this rate; the quiet at both ends is long enough to be cut."""
        pause = torch.where(torch.from_numpy(passage.is_pause), delivery.pause, 1.0)
        frames = whole_frames(times * pause / (delivery.rate * self.speaker.rate))
        frames[0] = frames[0].clamp(min=_BEFORE)
        # The last mark is quiet too.
        frames[-1] = torch.maximum(frames[-1], _AFTER - frames[-2] * int(passage.is_pause[-2]))
        return frames

    def _moved(self, melody: Melody, delivery: Delivery) -> Melody:
        """The base's melody as this speaker's, and as it is wanted."""
        voiced = melody.f0 > sound.VOICED_FROM_HZ
        if not bool(voiced.any()):
            return melody
        log_f0 = torch.log(melody.f0.clamp(min=sound.VOICED_FROM_HZ))
        mean = log_f0[voiced].mean()
        moved = mean + (log_f0 - mean) * (self.speaker.liveliness * delivery.liveliness)
        f0 = torch.exp(moved) * (self.speaker.f0 * 2.0 ** (delivery.pitch / 12.0))
        return melody._replace(f0=torch.where(voiced, f0.clamp(min=_LOWEST_HZ), melody.f0))
