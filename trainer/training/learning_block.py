"""The proof that training taught something, as every backbone states it: what was gained on the speaker and on a wrong voice."""

from __future__ import annotations

from collections.abc import Sequence


def improvement(start: float, trained: float) -> float:
    """Share of the start's loss that training removed."""
    return (start - trained) / start


def extent(seconds: Sequence[float]) -> dict[str, float]:
    """How many held-out utterances of these lengths were heard, and how much speech that is, under the keys of the `learning` block."""
    return {"heldout_utterances": len(seconds), "heldout_seconds": round(sum(seconds), 3)}


def proof(target: tuple[float, float], control: tuple[float, float]) -> dict[str, float]:
    """(start, trained) losses on the target and on the control voice, under the keys of the `learning` block."""
    return {
        "heldout_loss_start": target[0],
        "heldout_loss_trained": target[1],
        "improvement": improvement(*target),
        "control_loss_start": control[0],
        "control_loss_trained": control[1],
        "control_improvement": improvement(*control),
    }
