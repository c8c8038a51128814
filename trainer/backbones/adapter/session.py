"""From gathered speech to the document of a voice: resume, adapt, prove; the caller decides where the result goes."""

from __future__ import annotations

from collections.abc import Callable

from trainer.backbones.adapter.adapt import Adaptation, Hooks
from trainer.backbones.adapter.material import Material
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.dataset import manifest
from trainer.models.acoustic import AcousticModel, Speaker
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.models.vocoder import Vocoder
from trainer.training import course, determinism
from trainer.training.course import Course
from trainer.training.session import Outcome, Task, take_up
from trainer.voice import base, shipped_files

Sampler = Callable[[int, AcousticModel, Vocoder, Speaker], None]
"""Given the models as they are at a step, writes what a person can listen to."""
CRITERION = "acoustic model"
"""Whose losses the history's rows are."""


def fit(task: Task, settings: AdaptationSettings, *, material: Material, sampler: Sampler | None = None) -> Outcome:
    """Adapt the shipped base to a manifest's speaker (`material` is what was gathered of it), continuing from the state where that fits.

    Raises DataError(manifest_invalid | too_little_speech), RuntimeSetupError where the base is damaged, and what
    `Adaptation.run` raises. The state file stays until the caller has saved the outcome (`resume.clear`).
    """
    determinism.fix(task.threads)
    document, manifest_sha256 = manifest.load_with_digest(task.manifest)
    adaptation = Adaptation(
        settings=settings, seed=task.seed, base=base.load(),
        training=material.training, held_out=material.held_out, embedding=material.embedding,
    )  # fmt: skip
    made_from = {"audio_sha256": document.source.sha256, "manifest_sha256": manifest_sha256}
    facts = {**made_from, "device": "cpu", "steps_total": settings.steps}
    told = Course(
        listener=task.listener,
        criterion=CRITERION,
        stage_of=lambda step: stage_of(step, settings),
        history=lambda: _rows(adaptation),
    )
    belongs = {
        **facts,
        "seed": task.seed,
        "threads": task.threads,
        "settings": settings.as_dict(),
        "base": shipped_files.hashes(),
    }
    save = take_up(task, belongs, adaptation.restore)
    adaptation.hooks = Hooks(
        on_step=told.step,
        on_evaluation=lambda row: told.evaluated(),
        on_failure=told.failed,
        on_sample=sampler or (lambda step, acoustic, vocoder, speaker: None),
        save_state=save,
        stop_requested=task.listener.stop_requested,
    )
    task.listener.train_started(facts)
    adaptation.run()
    training = {"steps": settings.steps, "threads": task.threads, **made_from, "base": shipped_files.hashes()}
    return Outcome(
        document=adaptation.document(training=training),
        learning={**told.learning(), **adaptation.learning(SpeakerEncoder().embed)},
        last_loss=told.last_loss,
        facts=facts,
    )


def stage_of(step: int, settings: AdaptationSettings) -> str:
    """Whose loss a step has: the vocoder's is another on what the acoustic model predicts than on real spectra."""
    if step <= settings.acoustic_steps:
        return CRITERION
    real = settings.acoustic_steps + settings.vocoder_steps
    return "vocoder" if step <= real else "vocoder on predicted spectra"


def _rows(adaptation: Adaptation) -> list[course.Row]:
    """The held-out losses of the acoustic model."""
    return [[int(row["step"]), row.get("train"), row["frames"]] for row in adaptation.acoustic.history]
