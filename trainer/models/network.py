"""What the networks of this project have in common: sizes that a checkpoint may say, and an untrained start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field, fields
from typing import Any, ClassVar, Self

import torch
from torch import nn


def size(default: int, largest: int) -> Any:
    """A field of a `NetworkConfig`; no network here is larger than `largest`."""
    return field(default=default, metadata={"largest": largest})


class NetworkConfig:
    """Sizes of a network, all of them whole numbers."""

    __slots__ = ()
    owner: ClassVar[str]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The config of a checkpoint; raises ValueError for unknown names, wrong types and sizes no network here has."""
        largest = {one.name: one.metadata["largest"] for one in fields(cls)}
        if set(values) != set(largest):
            raise ValueError(f"{cls.owner} config has {sorted(largest)}")
        for name, value in values.items():
            if type(value) is not int or not 1 <= value <= largest[name]:
                raise ValueError(f"{name} is not a whole number from 1 to {largest[name]}")
        if values["kernel"] % 2 == 0:
            raise ValueError("kernel is not odd")
        return cls(**values)

    def as_dict(self) -> dict[str, int]:
        """Plain values for a checkpoint."""
        return asdict(self)


class Network(nn.Module):
    """A network that is made from its config alone."""

    @classmethod
    def untrained(cls, config: Any, *, seed: int) -> Self:
        """The start of a training: equal seeds give equal weights, whatever was drawn before."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(config)
