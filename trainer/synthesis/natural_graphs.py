"""The networks of a natural voice as three functions of one sentence, in the form in which they are exported."""

from __future__ import annotations

import torch
from torch import nn

from trainer.models.natural import Melody, NaturalModel


class TimesGraph(nn.Module):
    """Symbols to how long each lasts, and what the melody is made of."""

    INPUTS = ("symbols",)
    OUTPUTS = ("times", "encoded")

    def __init__(self, model: NaturalModel) -> None:
        super().__init__()
        self.network = model.melody

    def forward(self, symbols: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(P,) int64 -> (P,) text frames as real numbers, (P, width)."""
        encoded = self.network.text(symbols[None])
        return self.network.times(encoded), encoded[0]


class MelodyGraph(nn.Module):
    """The symbol of each text frame to F0 and energy."""

    INPUTS = ("encoded", "symbol_of_text_frame")
    OUTPUTS = ("f0", "energy")

    def __init__(self, model: NaturalModel) -> None:
        super().__init__()
        self.network = model.melody

    def forward(self, encoded: torch.Tensor, symbol_of_text_frame: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(P, width), (T / 2,) int64 -> (T,) Hz, (T,) log energy."""
        found = self.network.of_text_frames(encoded[symbol_of_text_frame][None])
        return found.f0[0], found.energy[0]


class DecoderGraph(nn.Module):
    """Symbols and melody to spectra."""

    INPUTS = ("symbols", "symbol_of_frame", "f0", "energy")
    OUTPUTS = ("spectra",)

    def __init__(self, model: NaturalModel) -> None:
        super().__init__()
        self.text, self.decoder = model.text, model.decoder

    def forward(
        self, symbols: torch.Tensor, symbol_of_frame: torch.Tensor, f0: torch.Tensor, energy: torch.Tensor
    ) -> tuple[torch.Tensor]:
        """(P,) int64, (T,) int64, (T,) Hz, (T,) log energy -> (T, SPECTRA * BINS)."""
        text = self.text(symbols[None])[:, symbol_of_frame]
        return (self.decoder.joined(text, Melody(f0=f0[None], energy=energy[None]))[0],)
