"""What an export of either generation of voices consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from trainer.synthesis.delivery import Delivery
from trainer.synthesis.onnx_parts import Form
from trainer.synthesis.passages import Passage

PROBE = (
    "Yes. The quick brown fox, however, jumped over a dozen lazy dogs! "
    "Why do we measure what we could have heard, if only somebody had listened to all of it?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One network: a graph with INPUTS and OUTPUTS, an example of its inputs, and which of their lengths vary (as torch.export asks)."""

    graph: nn.Module
    inputs: tuple[Any, ...]
    lengths: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """How the voices of one generation are exported, and how it is told that an exported one speaks like its checkpoint."""

    form: Form
    parts: Callable[[Any], list[Part]]
    """Of a voice, in the order of the form's files."""
    own: Callable[[Any], dict[str, str]]
    """What the voice says of itself."""
    opened: Callable[..., Any]
    """Models -> a voice that speaks with them."""
    axes: Mapping[str, tuple[str | None, ...]]
    """Names of the lengths that vary, by input and output."""
    tolerances: Mapping[str, float]
    """Largest differences that nobody hears, by what differs."""
    difference: Callable[[Any, Any, Passage, Delivery], dict[str, float] | None]
    """Of two voices in one sentence; None where a duration on the edge between two whole frames fell to the other side."""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    """Other files that belong to an exported voice."""
