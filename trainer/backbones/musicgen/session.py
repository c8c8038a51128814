"""From a manifest to a checkpoint document: tokens, resume, train, describe; the caller decides where the result goes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
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
from trainer.training.session import Listener, Outcome, chosen_entries, run

_LIBRARIES = ("transformers", "peft", "soxr")


def fit(
    base: MusicgenBase,
    manifest_path: Path,
    *,
    settings: MusicgenSettings,
    licence: Mapping[str, Any],
    seed: int,
    threads: int,
    state_path: Path,
    listener: Listener,
) -> Outcome:
    """Train adapters on a manifest, continuing from `state_path` where that fits.

    Raises DataError(manifest_invalid | too_little_speech) and what `AdapterTrainer.run` raises. The state file stays until the caller has
    saved the outcome (`resume.clear`).
    """
    determinism.fix(threads)
    document, manifest_sha256 = manifest.load_with_digest(manifest_path)
    utterances = _training_examples(base, document, manifest_path, settings, listener)
    held_out = load_held_out(
        base, manifest_path, max_seconds=settings.heldout_seconds, max_clip_seconds=settings.max_clip_seconds
    )
    trainer = AdapterTrainer(base=base, settings=settings, seed=seed, utterances=utterances, held_out=held_out)
    data = {"audio_sha256": document.source.sha256, "manifest_sha256": manifest_sha256}
    facts = {**data, "device": trainer.device.type, "steps_total": settings.steps, **_base_facts(base, licence)}
    belongs = {"threads": threads, "libraries": {name: version(name) for name in _LIBRARIES}}
    learning = run(trainer, facts, belongs, state_path=state_path, listener=listener)
    training = {
        "seed": seed,
        "steps": settings.steps,
        "threads": threads,
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


def _training_examples(
    base: MusicgenBase, document: Manifest, manifest_path: Path, settings: MusicgenSettings, listener: Listener
) -> list[Example]:
    chosen = chosen_entries(document, manifest_path, settings.max_train_minutes, listener)
    spoken = sum(bool(entry.transcript) for entry in chosen)
    listener.note(f"prompts: {spoken} of {len(chosen)} utterances have a transcript, the others a neutral prompt")
    encoded = []
    for entry in chosen:
        # One clip at a time: tokens take a hundredth of the wave's memory.
        utterance = loading.load(manifest_path.parent, [entry])[0]
        encoded.append(
            examples.encode(base, utterance.wave.numpy(), entry.transcript, max_seconds=settings.max_clip_seconds)
        )
        listener.features_extracted(len(encoded), len(chosen))
    return encoded
