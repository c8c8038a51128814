"""onnxruntime as this project uses it: on the CPU, so many threads, the same bytes every time, and no telemetry."""

from __future__ import annotations

import os
from typing import Any

from trainer.errors import RuntimeSetupError


def open_session(model: bytes, *, threads: int = 1, one_length: bool = False) -> Any:
    """An `InferenceSession` of a model that is whole in itself; `one_length`: all its inputs have the same length.

    Raises RuntimeSetupError(missing_module), and onnxruntime's own exceptions for bytes that are no model.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise RuntimeSetupError(
            "onnxruntime is not installed; install it: pip install onnxruntime", cause="missing_module"
        ) from error
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    # Where inputs differ in length an arena would keep the largest block of every size; else it saves asking the kernel for each anew.
    options.enable_cpu_mem_arena = one_length
    # Bytes have no folder: weights outside of them would be looked for in the current one, by no hash.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", f"{os.devnull}/none")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
