"""From a manifest to a checkpoint document: load, resume, train, describe; the caller decides where the result goes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from trainer import checkpoint, control_voice, dataset, determinism, evaluation, features, manifest, resume
from trainer.dataset import Utterance
from trainer.errors import DataError
from trainer.manifest import Entry, Manifest
from trainer.settings import TrainSettings
from trainer.training import Trainer
from trainer.training_loop import Hooks, TrainingLoop


class Listener(Protocol):
    """Who hears how a session goes."""

    def note(self, text: str) -> None:
        """One line for a person."""

    def features_extracted(self, done: int, total: int) -> None:
        """`done` of `total` training utterances are in memory."""

    def train_started(self, facts: dict[str, Any]) -> None:
        """The next thing is a training step; `facts` are status fields (audio_sha256, manifest_sha256, device, steps_total)."""

    def step(self, step: int, loss: float) -> None:
        """A step ended with this training loss."""

    def evaluated(self, learning: dict[str, Any]) -> None:
        """The `learning` block as known so far."""

    def failed(self, learning: dict[str, Any]) -> None:
        """Training ends with a number that is not finite; `learning` has the counts."""

    def stop_requested(self) -> bool:
        """Whether to save the state and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished session made; `document` goes into the checkpoint, the rest into the status."""

    document: dict[str, Any]
    learning: dict[str, Any]
    last_loss: float
    facts: dict[str, Any]


def fit(
    manifest_path: Path,
    *,
    settings: TrainSettings,
    seed: int,
    threads: int,
    state_path: Path,
    listener: Listener,
) -> Outcome:
    """Train on a manifest, continuing from `state_path` where that fits.

    Raises DataError(manifest_invalid | too_little_speech) and what `Trainer.run` raises. The state file stays until the caller has
    saved the outcome (`resume.clear`).
    """
    determinism.fix(threads)
    document = manifest.load(manifest_path)
    chosen = chosen_entries(document, manifest_path, settings.max_train_minutes, listener)
    utterances = dataset.load(manifest_path.parent, chosen, on_progress=listener.features_extracted)
    held_out = evaluation.load_held_out(manifest_path, max_seconds=settings.heldout_seconds)
    trainer = Trainer(settings=settings, seed=seed, utterances=utterances, held_out=held_out)
    facts = {
        "audio_sha256": document.source.sha256,
        "manifest_sha256": checkpoint.file_sha256(manifest_path),
        "device": trainer.device.type,
        "steps_total": settings.steps,
    }
    learning = run(trainer, facts, {"threads": threads}, state_path=state_path, listener=listener)
    return Outcome(
        document=_document(
            trainer, facts, seed=seed, threads=threads, speaker=speaker_statistics(utterances)
        ),
        learning=learning,
        last_loss=trainer.last_loss,
        facts=facts,
    )


def run(
    loop: TrainingLoop, facts: Mapping[str, Any], belongs: Mapping[str, Any], *, state_path: Path, listener: Listener
) -> dict[str, Any]:
    """Run `loop` from the saved state where that fits (`facts`, `belongs`, seed, settings and program are the same); its `learning` block."""
    known = {**facts, **belongs, "seed": loop.seed, "settings": loop.settings.as_dict()}
    fingerprint = resume.fingerprint(known)
    state, why = resume.load(state_path, fingerprint)
    if why:
        listener.note(why)
    if state is not None:
        loop.restore(state)
    loop.hooks = Hooks(
        on_step=listener.step,
        on_evaluation=listener.evaluated,
        on_failure=listener.failed,
        stop_requested=listener.stop_requested,
        save_state=lambda value: resume.save(state_path, fingerprint, value),
    )
    listener.train_started(dict(facts))
    return loop.run()


def chosen_entries(document: Manifest, manifest_path: Path, max_minutes: float, listener: Listener) -> list[Entry]:
    """The training entries, evenly chosen where they are more than `max_minutes`; raises DataError(too_little_speech) for none."""
    entries = document.split(manifest.TRAIN)
    if not entries:
        raise DataError(f"{manifest_path} has no utterance to train on; record more speech", cause="too_little_speech")
    chosen = dataset.choose(entries, max_seconds=60.0 * max_minutes)
    if len(chosen) < len(entries):
        listener.note(f"training on {len(chosen)} of {len(entries)} utterances (max_train_minutes={max_minutes:g})")
    return chosen


def speaker_statistics(utterances: list[Utterance]) -> dict[str, float]:
    """Median F0 in Hz, mean and deviation of log-F0 over voiced frames and of frame energy (mean log-mel) over all."""
    energy = torch.cat([utterance.features.mel.mean(dim=0) for utterance in utterances]).double()
    log_f0 = (
        torch.cat([utterance.features.f0[utterance.features.voicing > 0] for utterance in utterances])
        .double()
        .log()
    )
    if not len(log_f0):
        log_f0 = torch.tensor([math.log(features.UNVOICED_F0_HZ)], dtype=torch.float64)
    return {
        "median_f0_hz": control_voice.median_f0_hz(utterances),
        "log_f0_mean": float(log_f0.mean()),
        "log_f0_deviation": float(log_f0.std(correction=0)),
        "energy_mean": float(energy.mean()),
        "energy_deviation": float(energy.std(correction=0)),
    }


def _document(
    trainer: Trainer, facts: dict[str, Any], *, seed: int, threads: int, speaker: dict[str, float]
) -> dict[str, Any]:
    return {
        "format": checkpoint.FORMAT,
        "version": checkpoint.VERSION,
        "config": trainer.model.config.as_dict(),
        "model": trainer.best.weights,
        "features": features.description(),
        "speaker": speaker,
        "training": {
            "seed": seed,
            "steps": trainer.settings.steps,
            "threads": threads,
            "best_step": trainer.best.step,
            "audio_sha256": facts["audio_sha256"],
            "manifest_sha256": facts["manifest_sha256"],
            "settings": trainer.settings.as_dict(),
        },
    }
