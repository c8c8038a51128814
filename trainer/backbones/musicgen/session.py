"""From a manifest to a checkpoint document: tokens, resume, train, describe; the caller decides where the result goes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from trainer.backbones import MUSICGEN_SMALL
from trainer.backbones.musicgen import document as documents
from trainer.backbones.musicgen import examples
from trainer.backbones.musicgen.base import MusicgenBase
from trainer.backbones.musicgen.evaluation import load_held_out
from trainer.backbones.musicgen.examples import Example
from trainer.backbones.musicgen.settings import MusicgenSettings
from trainer.backbones.musicgen.training import AdapterTrainer
from trainer.dataset import loading, manifest
from trainer.dataset.manifest import Manifest
from trainer.training import determinism
from trainer.training.session import Outcome, Task, chosen_entries, run

_LIBRARIES = ("transformers", "peft", "soxr")


def fit(base: MusicgenBase, task: Task, settings: MusicgenSettings, *, licence: Mapping[str, Any]) -> Outcome:
    """Train adapters on a manifest, continuing from the state where that fits.

    Raises DataError(manifest_invalid | too_little_speech) and what `AdapterTrainer.run` raises. The state file stays until the caller has
    saved the outcome (`resume.clear`).
    """
    determinism.fix(task.threads)
    document, manifest_sha256 = manifest.load_with_digest(task.manifest)
    utterances = _training_examples(base, document, task, settings)
    held_out = load_held_out(
        base, task.manifest, max_seconds=settings.heldout_seconds, max_clip_seconds=settings.max_clip_seconds
    )
    trainer = AdapterTrainer(base=base, settings=settings, seed=task.seed, utterances=utterances, held_out=held_out)
    data = {"audio_sha256": document.source.sha256, "manifest_sha256": manifest_sha256}
    facts = {**data, "device": trainer.device.type, "steps_total": settings.steps, **_base_facts(base, licence)}
    belongs = {"threads": task.threads, "libraries": {name: version(name) for name in _LIBRARIES}}
    learning = run(trainer, facts, belongs, task)
    training = {
        "seed": task.seed,
        "steps": settings.steps,
        "threads": task.threads,
        "best_step": trainer.best.step,
        **data,
        "settings": settings.as_dict(),
    }
    built = documents.build(
        base, trainer.best.weights, rank=settings.rank, alpha=settings.alpha, licence=licence, training=training
    )
    return Outcome(document=built, learning=learning, last_loss=trainer.last_loss, facts=facts)


def _base_facts(base: MusicgenBase, licence: Mapping[str, Any]) -> dict[str, Any]:
    """What the train status says of the base and of what its licence allows."""
    return {
        "backbone": MUSICGEN_SMALL,
        "base_identity": base.identity,
        "licence": dict(licence),
        "promotable": licence["promotable"],
    }


def _training_examples(base: MusicgenBase, document: Manifest, task: Task, settings: MusicgenSettings) -> list[Example]:
    chosen = chosen_entries(document, task, settings.max_train_minutes)
    spoken = sum(bool(entry.transcript) for entry in chosen)
    task.listener.note(f"prompts: {spoken} of {len(chosen)} utterances have a transcript, the others a neutral prompt")
    encoded = []
    for entry in chosen:
        # One clip at a time: tokens take a hundredth of the wave's memory.
        utterance = loading.load(task.manifest.parent, [entry])[0]
        encoded.append(
            examples.encode(base, utterance.wave.numpy(), entry.transcript, max_seconds=settings.max_clip_seconds)
        )
        task.listener.features_extracted(len(encoded), len(chosen))
    return encoded
