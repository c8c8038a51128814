"""A session of training, whatever the backbone: who listens, what comes out, which utterances, and the loop from its saved state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trainer.dataset import loading, manifest
from trainer.dataset.manifest import Entry, Manifest
from trainer.errors import DataError
from trainer.training import resume
from trainer.training.best_loop import BestLoop
from trainer.training.loop import Hooks


class Listener(Protocol):
    """Who hears how a session goes."""

    def note(self, text: str) -> None:
        """One line for a person."""

    def features_extracted(self, done: int, total: int) -> None:
        """`done` of `total` training utterances are in memory."""

    def train_started(self, facts: dict[str, Any]) -> None:
        """The next thing is a training step; `facts` are status fields (audio_sha256, manifest_sha256, device, steps_total)."""

    def step(self, step: int, loss: float, stage: str = "") -> None:
        """A step ended with this training loss; `stage` says whose loss it is where a training has several."""

    def evaluated(self, learning: dict[str, Any]) -> None:
        """The `learning` block as known so far."""

    def failed(self, learning: dict[str, Any]) -> None:
        """Training ends with a number that is not finite; `learning` has the counts."""

    def stop_requested(self) -> bool:
        """Whether to save the state and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One training: the manifest that it learns from, what it is drawn and computed with, where its state lies, and who hears how it goes."""

    manifest: Path
    seed: int
    threads: int
    state: Path
    listener: Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished session made; `document` goes into the checkpoint, the rest into the status."""

    document: dict[str, Any]
    learning: dict[str, Any]
    last_loss: float
    facts: dict[str, Any]


def run(loop: BestLoop, facts: Mapping[str, Any], belongs: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Run `loop` from the saved state where that fits (`facts`, `belongs`, seed, settings and program are the same); its `learning` block."""
    known = {**facts, **belongs, "seed": loop.seed, "settings": loop.settings.as_dict()}
    listener, save = task.listener, resume.take_up(task.state, known, loop.restore, note=task.listener.note)
    loop.hooks = Hooks(
        on_step=listener.step,
        on_evaluation=listener.evaluated,
        on_failure=listener.failed,
        stop_requested=listener.stop_requested,
        save_state=save,
    )
    listener.train_started(dict(facts))
    return loop.run()


def chosen_entries(document: Manifest, task: Task, max_minutes: float) -> list[Entry]:
    """The training entries, evenly chosen where they are more than `max_minutes`; raises DataError(too_little_speech) for none."""
    entries = document.split(manifest.TRAIN)
    if not entries:
        raise DataError(f"{task.manifest} has no utterance to train on; record more speech", cause="too_little_speech")
    chosen = loading.choose(entries, max_seconds=60.0 * max_minutes)
    if len(chosen) < len(entries):
        task.listener.note(
            f"training on {len(chosen)} of {len(entries)} utterances (max_train_minutes={max_minutes:g})"
        )
    return chosen
