"""A natural voice in torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from trainer.models.natural import NaturalModel, one_sentence
from trainer.synthesis.natural_graphs import DecoderGraph, MelodyGraph, TimesGraph
from trainer.synthesis.natural_narrator import NaturalNarrator
from trainer.voice import natural_document
from trainer.voice.natural_speaker import NaturalSpeaker


class NaturalVoice(NaturalNarrator):
    """The model in evaluation mode on the CPU; the same text, delivery and number of threads give the same bytes."""

    def __init__(self, model: NaturalModel, speaker: NaturalSpeaker, *, checkpoint_sha256: str = "") -> None:
        self.model, self.speaker = model.eval(), speaker
        self._spoken = one_sentence.prepared(model)
        self.checkpoint_sha256 = checkpoint_sha256

    @classmethod
    def restored(cls, document: Mapping[str, Any], sha256: str) -> NaturalVoice:
        """The voice of a checkpoint's document; raises CheckpointError."""
        found = natural_document.restore(document)
        return cls(found.model, found.speaker, checkpoint_sha256=sha256)

    def times(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `NaturalNarrator.times`."""
        times, encoded = _computed(TimesGraph(self._spoken), symbols)
        return times, encoded

    def melody(self, encoded: np.ndarray, symbol_of_text_frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `NaturalNarrator.melody`."""
        f0, energy = _computed(MelodyGraph(self._spoken), encoded, symbol_of_text_frame)
        return f0, energy

    def spectra(
        self, symbols: np.ndarray, symbol_of_frame: np.ndarray, f0: np.ndarray, energy: np.ndarray
    ) -> np.ndarray:
        """As `NaturalNarrator.spectra`."""
        (spectra,) = _computed(DecoderGraph(self._spoken), symbols, symbol_of_frame, f0, energy)
        return spectra


@torch.inference_mode()
def _computed(graph: torch.nn.Module, *inputs: np.ndarray) -> list[np.ndarray]:
    return [found.numpy() for found in graph(*map(torch.from_numpy, inputs))]
