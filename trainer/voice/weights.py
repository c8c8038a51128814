"""A model from tensors that somebody else wrote: nothing is taken that does not fit."""

from __future__ import annotations

from typing import Any

import torch

from trainer.files.checkpoint import CheckpointError


def with_weights(kind: type[Any], config: Any, weights: object, name: str) -> Any:
    """A `kind` of this config with exactly these weights (half precision is widened); raises CheckpointError(wrong_format)."""
    if not isinstance(weights, dict) or not all(isinstance(one, torch.Tensor) for one in weights.values()):
        raise CheckpointError(f"the {name} has no weights", cause="wrong_format")
    # A config must not make us allocate more than its tensors justify.
    if config.least_weights > sum(one.numel() for one in weights.values()):
        raise CheckpointError(f"the {name}'s config promises more weights than there are", cause="wrong_format")
    model = kind(config)
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    if expected != found or any(value.dtype not in (torch.float16, torch.float32) for value in weights.values()):
        raise CheckpointError(f"the tensors are not those of the {name} in its config", cause="wrong_format")
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(f"the {name}'s weights hold NaN or infinity", cause="wrong_format")
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model
