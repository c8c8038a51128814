"""Threads, devices and generators: what has to be fixed so that two runs give the same bytes."""

from __future__ import annotations

import ctypes
import os

import torch

from trainer.errors import RuntimeSetupError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 2**31 - 1


def fix(threads: int) -> None:
    """Fix the number of threads and refuse algorithms whose result depends on scheduling; call before any computation."""
    torch.set_num_threads(threads)
    # cuBLAS is deterministic only with a fixed workspace; read when CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # As use_deterministic_algorithms(True), which imports the whole compiler for a setting that only compiled code reads.
    torch.set_deterministic_debug_mode("error")
    keep_freed_memory()


def keep_freed_memory() -> bool:
    """Tell glibc not to give large blocks back after every step (on virtual machines mapping costs more than training); False without glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # The same values as the entrypoint's MALLOC_ variables, for runs that start without it.
    settings = ((_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _LARGE), (_M_ARENA_MAX, 1))
    return all(mallopt(option, value) == 1 for option, value in settings)


def choose_device(wish: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`; raises RuntimeSetupError(settings_invalid) when CUDA is asked for and absent."""
    if wish == "cuda" and not torch.cuda.is_available():
        raise RuntimeSetupError("device=cuda, but torch finds no CUDA device", cause="settings_invalid")
    return torch.device("cuda" if wish != "cpu" and torch.cuda.is_available() else "cpu")


def generator(seed: int) -> torch.Generator:
    """A CPU generator: its sequence does not depend on the device that trains."""
    return torch.Generator(device="cpu").manual_seed(seed)
