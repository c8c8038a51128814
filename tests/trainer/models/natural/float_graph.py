"""The published ONNX graph with its integer products done in real numbers: the same network without the rounding of activations."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper


def session(model: bytes) -> onnxruntime.InferenceSession:
    """Runs on one thread; inputs `ids` (1, P) and `speed` (1,)."""
    loaded = onnx.load_from_string(model)
    graph = loaded.graph
    stored = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    nodes, weights = [], {}
    for node in graph.node:
        product = _product(node, made_by)
        if product is not None:
            stem = product.input[1].removesuffix("_quantized")
            weights[f"{stem}_real"] = stored[product.input[1]].astype(np.float32) * stored[f"{stem}_scale"]
            recorded = made_by[product.input[0]].input[0]
            nodes.append(helper.make_node("MatMul", [recorded, f"{stem}_real"], list(node.output)))
        elif not _of_integers(node, made_by):
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [one for one in graph.initializer if one.name in used]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *(numpy_helper.from_array(value, name) for name, value in weights.items())])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(loaded.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _product(node: Any, made_by: dict[str, Any]) -> Any:
    """The integer product whose scaled result this node gives: Mul <- Cast <- MatMulInteger."""
    if not node.name.endswith("_quant_output_scale_mul"):
        return None
    return made_by[made_by[node.input[0]].input[0]]


def _of_integers(node: Any, made_by: dict[str, Any]) -> bool:
    source = made_by.get(node.input[0]) if node.input else None
    casts = node.op_type == "Cast" and source is not None and source.op_type == "MatMulInteger"
    return (
        node.op_type in ("DynamicQuantizeLinear", "MatMulInteger") or node.name.endswith("_quant_scales_mul") or casts
    )
