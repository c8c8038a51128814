"""A trained voice as ONNX files that are proven to speak like it."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.errors import RuntimeSetupError
from trainer.files import hash_record, output_file
from trainer.files.atomic_file import write_atomically
from trainer.synthesis import checkpoint_voice
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.export_natural import AXES, BESIDE, PROBE, TOLERANCES, Part, difference, own, parts
from trainer.synthesis.natural_narrator import NaturalNarrator
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.synthesis.onnx_natural import FORM, OnnxNaturalVoice
from trainer.synthesis.passages import passages

OPSET = 18
_DELIVERIES = (Delivery(), Delivery(rate=1.3, pitch=-2.0, pause=1.5, liveliness=0.7, seed=1))


def export(checkpoint: Path, output: Path, *, overwrite: bool = False) -> dict[str, str]:
    """Write all files into `output` and return what a person wants to know about them.

    Raises CheckpointError, RuntimeSetupError(missing_module), RuntimeSetupError(export_differs) before anything is written where ONNX and
    torch differ, DataError(output_exists), TrainingError(output_not_writable | disk_full).
    """
    voice = checkpoint_voice.load(checkpoint)
    for name in (*FORM.files, *BESIDE, hash_record.NAME):
        output_file.refuse_existing(output / name, overwrite=overwrite)
    written = models(voice)
    found = compare(voice, OnnxNaturalVoice(*written.values()))
    files = {**BESIDE, **written}
    for name, data in {**files, hash_record.NAME: hash_record.render(files).encode()}.items():
        write_atomically(output / name, data)
    return {
        **{name: f"{output / name} ({len(data) / 1e6:.1f} MB)" for name, data in written.items()},
        **{name: str(output / name) for name in (*BESIDE, hash_record.NAME)},
        "opset": str(OPSET),
        "checkpoint_sha256": voice.checkpoint_sha256,
        "largest_difference": shown(found),
    }


def models(voice: NaturalVoice) -> dict[str, bytes]:
    """The bytes of each model, by file name; raises RuntimeSetupError(missing_module)."""
    said = own(voice)
    return {
        name: _exported(part, FORM.metadata(name, said)) for name, part in zip(FORM.files, parts(voice), strict=True)
    }


def compare(ours: NaturalNarrator, theirs: NaturalNarrator) -> dict[str, float]:
    """The largest differences over some sentences; raises RuntimeSetupError(export_differs) where they are not tolerable.

    A duration that lies on the edge between two whole frames may fall to either side: such a sentence is not compared, if it is a rare one.
    """
    pairs = [(passage, delivery) for passage in passages(PROBE) for delivery in _DELIVERIES]
    found = [value for value in (difference(ours, theirs, *pair) for pair in pairs) if value is not None]
    if 2 * len(found) < len(pairs):
        raise RuntimeSetupError(
            "the exported voice differs from the checkpoint in its durations; nothing was written",
            cause="export_differs",
        )
    largest = {name: float(np.max([one[name] for one in found])) for name in TOLERANCES}
    if not tolerable(largest):
        raise RuntimeSetupError(
            f"the exported voice differs from the checkpoint ({shown(largest)}); nothing was written",
            cause="export_differs",
        )
    return largest


def tolerable(difference: Mapping[str, float]) -> bool:
    """Whether nobody will hear it; no is the answer too where something is no number."""
    return all(difference[name] <= bound for name, bound in TOLERANCES.items())


def shown(difference: Mapping[str, float]) -> str:
    """For a person."""
    return ", ".join(f"{name} {value:.0e}" for name, value in difference.items())


def _exported(part: Part, metadata: Mapping[str, str]) -> bytes:
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
            part.graph.eval(),
            part.inputs,
            input_names=list(part.graph.INPUTS),
            output_names=list(part.graph.OUTPUTS),
            dynamic_shapes=part.lengths,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        model = program.model_proto
    _name_lengths(model)
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def _name_lengths(model: Any) -> None:
    """Give the lengths that vary names instead of the exporter's numbers."""
    for value in (*model.graph.input, *model.graph.output):
        for size, name in zip(value.type.tensor_type.shape.dim, AXES.get(value.name, ()), strict=False):
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
