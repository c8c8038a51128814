"""Low-rank adapters (Hu et al. 2021, by the `peft` library) inside every block of the decoder.

On queries and values of self- and cross-attention and on both layers of the feed-forward part. The second factor starts at zero, so an
untrained adapter changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from trainer.errors import from_import_error

TARGETS = r".*\.layers\.\d+\.(?:(?:self_attn|encoder_attn)\.(?:q_proj|v_proj)|fc1|fc2)"
NAME = "voice"


def library() -> Any:
    """peft, imported only where it is used; raises RuntimeSetupError(missing_module, ...)."""
    try:
        import peft
    except (ImportError, OSError, ValueError, AttributeError) as error:
        raise from_import_error(error) from error
    return peft


def insert(decoder: Any, *, rank: int, alpha: float, seed: int) -> None:
    """Put fresh adapters into `decoder`; they alone can be trained afterwards."""
    peft = library()
    decoder.requires_grad_(False)
    # peft draws from the global generator.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=TARGETS)
        peft.inject_adapter_in_model(config, decoder, adapter_name=NAME)
    decoder.eval()


def parameters(decoder: Any) -> dict[str, torch.nn.Parameter]:
    """What is trained, by name."""
    return {name: value for name, value in decoder.named_parameters() if value.requires_grad}


def weights(decoder: Any) -> dict[str, torch.Tensor]:
    """Copies of the adapters' tensors, without the adapter's name in theirs."""
    return {name.replace(f".{NAME}.", "."): value.detach().cpu().clone() for name, value in parameters(decoder).items()}


@torch.no_grad()
def restore(decoder: Any, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give inserted adapters the values of `tensors`; raises ValueError where names, shapes or types are not exactly theirs."""
    own = {name.replace(f".{NAME}.", "."): value for name, value in parameters(decoder).items()}
    if {name: (value.shape, value.dtype) for name, value in own.items()} != {
        name: (value.shape, value.dtype) for name, value in tensors.items()
    }:
        raise ValueError("the tensors are not those of these adapters in this model")
    for name, value in own.items():
        value.copy_(tensors[name])
