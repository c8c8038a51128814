"""Held-out speech that a training is judged by, in the target's voice and in a wrong one, and what the start makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.dataset import loading, manifest
from trainer.dataset.manifest import Entry, Manifest
from trainer.errors import DataError
from trainer.training import control_voice
from trainer.training.learning_block import proof

Loss = Callable[[Sequence[Any]], float]
"""The mean loss on whole utterances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What every evaluation hears: held-out utterances of the target and the same words in a wrong voice."""

    target: Sequence[Any]
    control: Sequence[Any]


def load(document: Manifest, manifest_path: Path, *, max_seconds: float) -> tuple[list[Entry], HeldOut]:
    """The held-out side of a manifest; raises DataError(manifest_invalid)."""
    entries = document.split(manifest.HELD_OUT)
    if not entries:
        raise DataError(
            f"{manifest_path} has no held-out utterance; prepare the recording again", cause="manifest_invalid"
        )
    chosen = loading.choose(entries, max_seconds=max_seconds)
    target = loading.load(manifest_path.parent, chosen)
    return chosen, HeldOut(target=target, control=control_voice.render(target))


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The half of a learning proof that needs no trained weights; `key` says of which manifest and network it is."""

    key: tuple[Any, ...]
    held_out: HeldOut
    target_loss: float
    control_loss: float

    @classmethod
    def of(cls, key: tuple[Any, ...], held_out: HeldOut, loss: Loss) -> Baseline:
        """The losses of the start."""
        return cls(key=key, held_out=held_out, target_loss=loss(held_out.target), control_loss=loss(held_out.control))

    def proof(self, trained: Loss) -> dict[str, float]:
        """The losses of start and training under the keys of the `learning` block."""
        target, control = trained(self.held_out.target), trained(self.held_out.control)
        return proof((self.target_loss, target), (self.control_loss, control))
