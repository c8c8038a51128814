"""How a voice of the first generation is exported: two networks that are given pulses and noise."""

from __future__ import annotations

import numpy as np
import torch
from torch.export import Dim

from trainer.synthesis.delivery import Delivery
from trainer.synthesis.export_part import PROBE, Exporting, Part
from trainer.synthesis.finishing import HOP
from trainer.synthesis.graphs import AcousticGraph, VocoderGraph
from trainer.synthesis.narrator import MelNarrator
from trainer.synthesis.onnx_voice import FORM, OnnxVoice
from trainer.synthesis.passages import Passage, passages
from trainer.synthesis.voice import Voice

_TOLERANCES = {
    # Two log-mel values, in nepers; about 4e-6 is measured.
    "mel": 1e-3,
    # Relative; 5e-7 is measured, the last bit of a float. It still moves pulses after seconds, so both vocoders are given the same F0.
    "F0": 1e-4,
    # Share of frames whose voicing may fall to the other side.
    "voicing": 0.01,
    # Two samples (-80 dB of full scale) from the same frames; 5e-7 is measured.
    "wave": 1e-4,
}


def _parts(voice: Voice) -> list[Part]:
    passage = next(passages(PROBE))
    symbols, any_length = {0: Dim("symbols", min=2, max=100_000)}, {0: Dim.DYNAMIC}
    spoken = (torch.from_numpy(passage.symbols), torch.from_numpy(passage.word_starts))
    neutral = tuple(torch.tensor(value) for value in (1.0, 0.0, 1.0, 1.0))
    frames = 40
    samples = torch.zeros((frames - 1) * HOP)
    sung = (torch.full((80, frames), -5.0), torch.full((frames,), 120.0), torch.ones(frames), samples, samples.clone())
    return [
        Part(
            graph=AcousticGraph(voice.acoustic, voice.speaker),
            inputs=(*spoken, *neutral),
            lengths=(symbols, symbols, None, None, None, None),
        ),
        Part(
            graph=VocoderGraph(voice.vocoder),
            inputs=sung,
            lengths=({1: Dim.DYNAMIC}, any_length, any_length, any_length, any_length),
        ),
    ]


def _difference(
    ours: MelNarrator, theirs: MelNarrator, passage: Passage, delivery: Delivery
) -> dict[str, float] | None:
    one, other = ours.acoustics(passage, delivery), theirs.acoustics(passage, delivery)
    if not np.array_equal(one.frames, other.frames):
        return None
    noise = np.random.default_rng(delivery.seed).standard_normal((len(one.f0) - 1) * HOP, np.float32)
    return {
        "mel": float(np.abs(one.mel - other.mel).max()),
        "F0": float(np.abs(one.f0 / other.f0 - 1.0).max()),
        "voicing": float(np.mean(one.voicing != other.voicing)),
        "wave": float(np.abs(ours.vocode(one, noise) - theirs.vocode(one, noise)).max()),
    }


SPECTRAL = Exporting(
    form=FORM,
    parts=_parts,
    own=lambda voice: {"checkpoint_sha256": voice.checkpoint_sha256},
    opened=OnnxVoice,
    axes={
        "symbols": ("symbols",),
        "word_starts": ("symbols",),
        "frames": ("symbols",),
        "mel": (None, "frames"),
        "f0": ("frames",),
        "voicing": ("frames",),
        # samples = (frames - 1) * 256
        "pulses": ("samples",),
        "noise": ("samples",),
        "wave": ("samples",),
    },
    tolerances=_TOLERANCES,
    difference=_difference,
)
