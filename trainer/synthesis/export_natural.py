"""How a natural voice is exported: three networks, and the program that speaks with them without torch or this package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import Dim

from trainer.models.natural import speak
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.natural_graphs import DecoderGraph, MelodyGraph, TimesGraph
from trainer.synthesis.natural_narrator import NaturalNarrator
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.synthesis.passages import Passage, passages
from trainer.voice import natural_base

PROBE = (
    "Yes. The quick brown fox, however, jumped over a dozen lazy dogs! "
    "Why do we measure what we could have heard, if only somebody had listened to all of it?"
)
AXES: Mapping[str, tuple[str | None, ...]] = {
    "symbols": ("symbols",),
    "times": ("symbols",),
    "encoded": ("symbols", None),
    "symbol_of_text_frame": ("text_frames",),
    # frames = 2 * text_frames
    "symbol_of_frame": ("frames",),
    "f0": ("frames",),
    "energy": ("frames",),
    "spectra": ("frames", None),
}
"""Names of the lengths that vary, by input and output."""
BESIDE = {
    "speak.py": Path(speak.__file__).read_bytes(),
    "README.md": Path(__file__).with_name("exported_natural.md").read_bytes(),
    **{name: (natural_base.FOLDER / name).read_bytes() for name in ("LICENSE.txt", "NOTICE.txt", "NOTICE_READERS.txt")},
}
"""Other files that belong to an exported voice."""
TOLERANCES = {
    # Relative; it moves pulses after seconds, so both decoders are given the same melody.
    "F0": 1e-4,
    # Share of frames whose voicing may fall to the other side.
    "voicing": 0.01,
    "energy": 1e-3,
    # Of two values of the decoder, in nepers and radians.
    "spectra": 1e-3,
    # Two samples (-80 dB of full scale) of the same melody.
    "wave": 1e-4,
}
"""Largest differences that nobody hears, by what differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One network: a graph with INPUTS and OUTPUTS, an example of its inputs, and which of their lengths vary (as torch.export asks)."""

    graph: nn.Module
    inputs: tuple[Any, ...]
    lengths: tuple[Any, ...]


def parts(voice: NaturalVoice) -> list[Part]:
    """In the order of the form's files."""
    symbols = next(passages(PROBE)).symbols
    text_frames = speak.symbol_of_frame(np.full(len(symbols), 3))
    frames = np.repeat(text_frames, speak.FRAMES_PER_TEXT_FRAME)
    encoded = voice.times(symbols)[1]
    f0, energy = voice.melody(encoded, text_frames)
    every = {0: Dim.DYNAMIC}
    examples = ((symbols,), (encoded, text_frames), (symbols, frames, f0, energy))
    return [
        Part(
            graph=graph(voice.model),
            inputs=tuple(map(torch.from_numpy, inputs)),
            lengths=tuple(every for _ in inputs),
        )
        for graph, inputs in zip((TimesGraph, MelodyGraph, DecoderGraph), examples, strict=True)
    ]


def own(voice: NaturalVoice) -> dict[str, str]:
    """What the voice says of itself."""
    return {"checkpoint_sha256": voice.checkpoint_sha256, "speaker": json.dumps(asdict(voice.speaker))}


def difference(
    ours: NaturalNarrator, theirs: NaturalNarrator, passage: Passage, delivery: Delivery
) -> dict[str, float] | None:
    """Of two voices in one sentence; None where a duration on the edge between two whole frames fell to the other side."""
    (frames, f0, energy), other = ours.prosody(passage, delivery), theirs.prosody(passage, delivery)
    if not np.array_equal(frames, other[0]):
        return None
    voiced, other_voiced = f0 > speak.VOICED_FROM_HZ, other[1] > speak.VOICED_FROM_HZ
    both = voiced & other_voiced
    given = (passage.symbols, speak.symbol_of_frame(speak.FRAMES_PER_TEXT_FRAME * frames), f0, energy)
    spectra = ours.spectra(*given), theirs.spectra(*given)
    one, two = (speak.synthesise(each, f0, np.random.default_rng(delivery.seed)) for each in spectra)
    return {
        "F0": float(np.abs(f0[both] / other[1][both] - 1.0).max(initial=0.0)),
        "voicing": float(np.mean(voiced != other_voiced)),
        "energy": float(np.abs(energy - other[2]).max()),
        "spectra": float(np.abs(spectra[0] - spectra[1]).max()),
        "wave": float(np.abs(one - two).max()),
    }
