"""How fast a training learns at each step; steps count from 1."""

from __future__ import annotations

import math


def cosine(step: int, *, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up, then half a cosine to nothing at `steps`."""
    # Adam divides by its estimate of the gradient's size, and the first estimates rest on a few batches: early steps have to be small.
    if step <= warmup:
        return peak * step / warmup
    # The 1 beyond the last step keeps its rate above zero: a step at rate zero would be computed for nothing.
    progress = min(1.0, (step - warmup) / max(1, steps - warmup + 1))
    return peak * 0.5 * (1.0 + math.cos(math.pi * progress))
