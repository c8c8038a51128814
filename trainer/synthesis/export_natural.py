"""How a natural voice is exported: three networks, and the program that speaks with them without torch or this package."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch.export import Dim

from trainer.models.natural import speak
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.export_part import PROBE, Exporting, Part
from trainer.synthesis.natural_graphs import DecoderGraph, MelodyGraph, TimesGraph
from trainer.synthesis.natural_narrator import MISAKI, NaturalNarrator
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.synthesis.onnx_natural import FORM, OnnxNaturalVoice
from trainer.synthesis.passages import Passage, passages
from trainer.voice import natural_base

README = Path(__file__).with_name("exported_natural.md")
_TOLERANCES = {
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


def _parts(voice: NaturalVoice) -> list[Part]:
    symbols = next(passages(PROBE, MISAKI)).symbols
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


def _difference(
    ours: NaturalNarrator, theirs: NaturalNarrator, passage: Passage, delivery: Delivery
) -> dict[str, float] | None:
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


NATURAL = Exporting(
    form=FORM,
    parts=_parts,
    own=lambda voice: {"checkpoint_sha256": voice.checkpoint_sha256, "speaker": json.dumps(asdict(voice.speaker))},
    opened=OnnxNaturalVoice,
    axes={
        "symbols": ("symbols",),
        "times": ("symbols",),
        "encoded": ("symbols", None),
        "symbol_of_text_frame": ("text_frames",),
        # frames = 2 * text_frames
        "symbol_of_frame": ("frames",),
        "f0": ("frames",),
        "energy": ("frames",),
        "spectra": ("frames", None),
    },
    tolerances=_TOLERANCES,
    difference=_difference,
    beside={
        "speak.py": Path(speak.__file__).read_bytes(),
        "README.md": README.read_bytes(),
        **{name: (natural_base.FOLDER / name).read_bytes() for name in ("LICENSE.txt", "NOTICE.txt")},
    },
)
