"""From a manifest to a checkpoint document: load, resume, train, describe; the caller decides where the result goes."""

from __future__ import annotations

from typing import Any

from trainer.audio import features
from trainer.backbones.vocoder import evaluation
from trainer.backbones.vocoder.settings import TrainSettings
from trainer.backbones.vocoder.training import Trainer
from trainer.dataset import loading, manifest
from trainer.files import checkpoint
from trainer.training import determinism
from trainer.training.session import Outcome, Task, chosen_entries, run


def fit(task: Task, settings: TrainSettings) -> Outcome:
    """Train on a manifest, continuing from the state where that fits.

    Raises DataError(manifest_invalid | too_little_speech) and what `Trainer.run` raises. The state file stays until the caller has
    saved the outcome (`resume.clear`).
    """
    determinism.fix(task.threads)
    document, manifest_sha256 = manifest.load_with_digest(task.manifest)
    chosen = chosen_entries(document, task, settings.max_train_minutes)
    utterances = loading.load(task.manifest.parent, chosen, on_progress=task.listener.features_extracted)
    held_out = evaluation.load_held_out(task.manifest, max_seconds=settings.heldout_seconds)
    trainer = Trainer(settings=settings, seed=task.seed, utterances=utterances, held_out=held_out)
    facts = {
        "audio_sha256": document.source.sha256,
        "manifest_sha256": manifest_sha256,
        "device": trainer.device.type,
        "steps_total": settings.steps,
    }
    learning = run(trainer, facts, {"threads": task.threads}, task)
    return Outcome(
        document=_document(trainer, facts, task),
        learning=learning,
        last_loss=trainer.last_loss,
        facts=facts,
    )


def _document(trainer: Trainer, facts: dict[str, Any], task: Task) -> dict[str, Any]:
    return {
        "format": checkpoint.FORMAT,
        "version": checkpoint.VERSION,
        "config": trainer.model.config.as_dict(),
        "model": trainer.best.weights,
        "features": features.description(),
        "training": {
            "seed": task.seed,
            "steps": trainer.settings.steps,
            "threads": task.threads,
            "best_step": trainer.best.step,
            "audio_sha256": facts["audio_sha256"],
            "manifest_sha256": facts["manifest_sha256"],
            "settings": trainer.settings.as_dict(),
        },
    }
