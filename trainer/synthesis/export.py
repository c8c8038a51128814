"""A trained voice as two ONNX files that are proven to speak like it."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.export import Dim

from trainer.errors import RuntimeSetupError
from trainer.files.atomic_file import write_atomically
from trainer.files.checkpoint import CheckpointError
from trainer.synthesis import checkpoint_voice
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.finishing import HOP
from trainer.synthesis.graphs import AcousticGraph, VocoderGraph
from trainer.synthesis.narrator import MelNarrator
from trainer.synthesis.onnx_voice import ACOUSTIC, VOCODER, OnnxVoice, metadata
from trainer.synthesis.passages import Passage, passages
from trainer.synthesis.voice import Voice

FILES = (ACOUSTIC, VOCODER)
OPSET = 18
MEL_TOLERANCE = 1e-3
"""Largest difference of two log-mel values between torch and ONNX, in nepers; about 4e-6 is measured."""
F0_TOLERANCE = 1e-4
"""Relative; 5e-7 is measured, the last bit of a float. It still moves pulses after seconds, so both vocoders are given the same F0."""
VOICING_TOLERANCE = 0.01
"""Share of frames whose voicing may fall to the other side."""
WAVE_TOLERANCE = 1e-4
"""Largest difference of two samples (-80 dB of full scale) from the same frames; 5e-7 is measured."""

_PROBE = (
    "Yes. The quick brown fox, however, jumped over a dozen lazy dogs! "
    "Why do we measure what we could have heard, if only somebody had listened to all of it?"
)
_DELIVERIES = (Delivery(), Delivery(rate=1.3, pitch=-2.0, pause=1.5, liveliness=0.7, seed=1))
_AXES = {
    "symbols": ("symbols",),
    "word_starts": ("symbols",),
    "frames": ("symbols",),
    "mel": (None, "frames"),
    "f0": ("frames",),
    "voicing": ("frames",),
    "pulses": ("samples",),
    "noise": ("samples",),
    "wave": ("samples",),
}
"""Names of the lengths that vary: samples = (frames - 1) * 256."""


def export(checkpoint: Path, output: Path) -> dict[str, str]:
    """Write both files into `output` and return what a person wants to know about them.

    Raises CheckpointError, RuntimeSetupError(missing_module), RuntimeSetupError(export_differs) before anything is written where ONNX and
    torch differ, TrainingError(output_not_writable | disk_full).
    """
    voice = checkpoint_voice.load(checkpoint)
    if not isinstance(voice, Voice):
        raise CheckpointError(
            "a voice of the backbone natural has no ONNX form yet; voice say takes the checkpoint itself",
            cause="wrong_format",
        )
    models = {
        ACOUSTIC: acoustic_model(voice, voice.checkpoint_sha256),
        VOCODER: vocoder_model(voice, voice.checkpoint_sha256),
    }
    difference = compare(voice, OnnxVoice(models[ACOUSTIC], models[VOCODER]))
    for name, data in models.items():
        write_atomically(output / name, data)
    return {
        **{name: f"{output / name} ({len(data) / 1e6:.1f} MB)" for name, data in models.items()},
        "opset": str(OPSET),
        "checkpoint_sha256": voice.checkpoint_sha256,
        "largest_difference": str(difference),
    }


def acoustic_model(voice: Voice, checkpoint_sha256: str) -> bytes:
    """The bytes of acoustic.onnx."""
    passage = next(passages(_PROBE))
    symbols = Dim("symbols", min=2, max=100_000)
    inputs = (
        torch.from_numpy(passage.symbols),
        torch.from_numpy(passage.word_starts),
        *(torch.tensor(value) for value in (1.0, 0.0, 1.0, 1.0)),
    )
    graph = AcousticGraph(voice.acoustic, voice.speaker)
    return _exported(graph, inputs, ({0: symbols}, {0: symbols}, None, None, None, None), ACOUSTIC, checkpoint_sha256)


def vocoder_model(voice: Voice, checkpoint_sha256: str) -> bytes:
    """The bytes of vocoder.onnx."""
    frames = 40
    samples = (frames - 1) * HOP
    mel, f0, voicing = torch.full((80, frames), -5.0), torch.full((frames,), 120.0), torch.ones(frames)
    inputs = (mel, f0, voicing, torch.zeros(samples), torch.zeros(samples))
    any_length = {0: Dim.DYNAMIC}
    shapes = ({1: Dim.DYNAMIC}, any_length, any_length, any_length, any_length)
    return _exported(VocoderGraph(voice.vocoder), inputs, shapes, VOCODER, checkpoint_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The largest between two runtimes, as the tolerances count them."""

    mel: float = 0.0
    f0: float = 0.0
    voicing: float = 0.0
    wave: float = 0.0

    @property
    def tolerable(self) -> bool:
        """Whether nobody will hear it; no is the answer too where something is no number."""
        return (
            self.mel <= MEL_TOLERANCE
            and self.f0 <= F0_TOLERANCE
            and self.voicing <= VOICING_TOLERANCE
            and self.wave <= WAVE_TOLERANCE
        )

    def __str__(self) -> str:
        return f"mel {self.mel:.0e}, F0 {self.f0:.0e}, voicing {self.voicing:.0e}, wave {self.wave:.0e}"


def compare(ours: MelNarrator, theirs: MelNarrator) -> Difference:
    """The largest differences over some sentences; raises RuntimeSetupError(export_differs) where they are not tolerable.

    A duration that lies on the edge between two whole frames may fall to either side: such a sentence is not compared, if it is a rare one.
    """
    pairs = [(passage, delivery) for passage in passages(_PROBE) for delivery in _DELIVERIES]
    found = [value for value in (_difference(ours, theirs, *pair) for pair in pairs) if value is not None]
    if 2 * len(found) < len(pairs):
        raise RuntimeSetupError(
            "the exported voice differs from the checkpoint in its durations; nothing was written",
            cause="export_differs",
        )
    largest = Difference(
        **{part.name: float(np.max([getattr(one, part.name) for one in found])) for part in fields(Difference)}
    )
    if not largest.tolerable:
        raise RuntimeSetupError(
            f"the exported voice differs from the checkpoint ({largest}); nothing was written", cause="export_differs"
        )
    return largest


def _difference(ours: MelNarrator, theirs: MelNarrator, passage: Passage, delivery: Delivery) -> Difference | None:
    one, other = ours.acoustics(passage, delivery), theirs.acoustics(passage, delivery)
    if not np.array_equal(one.frames, other.frames):
        return None
    noise = np.random.default_rng(delivery.seed).standard_normal((len(one.f0) - 1) * HOP, np.float32)
    return Difference(
        mel=float(np.abs(one.mel - other.mel).max()),
        f0=float(np.abs(one.f0 / other.f0 - 1.0).max()),
        voicing=float(np.mean(one.voicing != other.voicing)),
        wave=float(np.abs(ours.vocode(one, noise) - theirs.vocode(one, noise)).max()),
    )


def _exported(graph: nn.Module, inputs: tuple, shapes: tuple, part: str, checkpoint_sha256: str) -> bytes:
    with _quiet():
        try:
            import onnx
            import onnxscript  # noqa: F401  what torch's exporter is written in; asked for here to name it if it is missing
        except ImportError as error:
            raise RuntimeSetupError(
                "the export needs onnx, onnxscript and onnxruntime; install them: pip install onnx onnxscript onnxruntime",
                cause="missing_module",
            ) from error
        program = torch.onnx.export(
            graph.eval(),
            inputs,
            input_names=list(graph.INPUTS),
            output_names=list(graph.OUTPUTS),
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        model = program.model_proto
    _name_lengths(model)
    onnx.helper.set_model_props(model, metadata(part, checkpoint_sha256))
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def _name_lengths(model: object) -> None:
    """Give the lengths that vary the names of _AXES instead of the exporter's numbers."""
    for value in (*model.graph.input, *model.graph.output):
        for size, name in zip(value.type.tensor_type.shape.dim, _AXES.get(value.name, ()), strict=False):
            if name is not None:
                size.dim_param = name
    # What the exporter knew about shapes inside is written in its own names.
    del model.graph.value_info[:]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's notes on what it does not need."""
    names = ("torch.onnx", "onnxscript", "onnx_ir")
    levels = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
