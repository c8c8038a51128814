"""Reading a text aloud, sentence by sentence, whatever computes the networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np
import soxr

from trainer.synthesis.delivery import Delivery
from trainer.synthesis.finishing import (
    KEPT_AFTER_S,
    KEPT_BEFORE_S,
    Rendered,
    check_speech,
    finished,
    pause_s,
)
from trainer.synthesis.passages import Passage, passages
from trainer.synthesis.speech import Speech

_FIRST_WORDS = "One, two, three, four, five."


class Narrator(ABC):
    """`say` a text at once or `stream` it; a subclass computes the networks."""

    checkpoint_sha256: str = ""
    """Of the file that the voice was read, or exported, from; empty for one that was not."""
    sample_rate: ClassVar[int]
    """Hz of what is rendered."""

    @abstractmethod
    def render(self, passage: Passage, delivery: Delivery, noise: np.random.Generator) -> Rendered:
        """One sentence as the networks speak it; raises TrainingError(voice_unusable) where it would never end."""

    def warm_up(self) -> None:
        """Load the dictionary and let the runtime choose its kernels, so that the first sentence does not wait for either."""
        for passage in passages(_FIRST_WORDS):
            self.render(passage, Delivery(), np.random.default_rng(0))

    def rate_of(self, delivery: Delivery) -> int:
        """Hz of what `stream` gives."""
        return delivery.sample_rate or self.sample_rate

    def say(self, text: str, delivery: Delivery | None = None) -> Speech:
        """The whole text in memory; exactly the parts of `stream`, joined. Raises as `stream`."""
        parts = list(self.stream(text, delivery))
        return Speech(
            wave=np.concatenate([part.wave for part in parts]),
            sample_rate=parts[0].sample_rate,
            text=" ".join(part.text for part in parts),
            warnings=tuple(dict.fromkeys(note for part in parts for note in part.warnings)),
        )

    def stream(self, text: str | Iterable[str], delivery: Delivery | None = None) -> Iterator[Speech]:
        """The sentences of a text, or of lines as they come, each with the pause before it; played one after the other they are `say`.

        Memory does not grow with the text. Raises TextError(text_empty) at the end of a text without a word, and
        TrainingError(voice_unusable) for a voice that gives no speech.
        """
        delivery = delivery or Delivery()
        rate = self.rate_of(delivery)
        pace = delivery.pause / delivery.rate
        mark, tail = "", 0.0
        for index, passage in enumerate(passages(text)):
            # Every sentence has its own noise: it sounds the same wherever a stream is cut.
            noise = np.random.Generator(np.random.Philox(key=[delivery.seed, index]))
            rendered = self.render(passage, delivery, noise)
            check_speech(rendered, passage)
            own_pause = pause_s(passage.mark, opens_paragraph=False) * pace
            wanted = pause_s(mark, opens_paragraph=passage.opens_paragraph) * pace if mark else KEPT_BEFORE_S * pace
            wave, lead, after = finished(
                rendered, passage, before_s=min(KEPT_BEFORE_S, wanted - tail), after_s=min(KEPT_AFTER_S, own_pause)
            )
            if mark:
                gap = max(0.0, wanted - tail - lead)
                wave = np.concatenate([np.zeros(round(gap * self.sample_rate), np.float32), wave])
            mark, tail = passage.mark, after
            yield Speech(
                wave=_resampled(wave, self.sample_rate, rate),
                sample_rate=rate,
                text=passage.text,
                warnings=passage.warnings,
            )


def _resampled(wave: np.ndarray, ours: int, wanted: int) -> np.ndarray:
    """(n,) at `ours` Hz -> within -1..1 at `wanted`; a sentence begins and ends with silence, so each is resampled alone."""
    if wanted == ours:
        return wave
    return np.clip(soxr.resample(wave, ours, wanted), -1.0, 1.0).astype(np.float32)
