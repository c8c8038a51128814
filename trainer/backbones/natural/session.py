"""From gathered speech to the document of a natural voice: resume, adapt, prove; the caller decides where the result goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.backbones.natural import learning
from trainer.backbones.natural.material import NaturalMaterial
from trainer.backbones.natural.moderation import moderated
from trainer.backbones.natural.settings import NaturalSettings
from trainer.backbones.natural.training import NaturalAdaptation
from trainer.dataset import manifest
from trainer.models.natural import NaturalModel
from trainer.training import determinism, resume
from trainer.training.course import Course
from trainer.training.loop import Hooks
from trainer.training.session import Outcome, Task
from trainer.voice import natural_base, natural_document, natural_licence
from trainer.voice.natural_speaker import NaturalSpeaker

Sampler = Callable[[int, NaturalModel, NaturalSpeaker], None]
"""Given the model as it is at a step, writes what a person can listen to."""
CRITERION = "decoder"
"""Whose losses the history's rows are: those by which it is trained, not the proof's."""
_SPECTRAL, _ADVERSARIAL = "spectra", "spectra and discriminators"


def fit(task: Task, settings: NaturalSettings, *, material: NaturalMaterial, sampler: Sampler) -> Outcome:
    """Adapt the shipped base to a manifest's speaker (`material` is what was gathered of it), continuing from the state where that fits.

    Raises DataError(manifest_invalid), RuntimeSetupError where the base is damaged, TrainingError(non_finite_loss | interrupted). The state file
    stays until the caller has saved the outcome (`resume.clear`).
    """
    determinism.fix(task.threads)
    document, manifest_sha256 = manifest.load_with_digest(task.manifest)
    start = learning.measure_start(natural_base.for_speaker(material.vector), material)
    for line in start.refused:
        task.listener.note(line)
    adaptation = NaturalAdaptation(
        settings=settings, seed=task.seed, base=start.fitted,
        training=material.training, held_out=material.held_out, highest_hz=material.highest_hz,
    )  # fmt: skip
    made_from = {"audio_sha256": document.source.sha256, "manifest_sha256": manifest_sha256}
    facts = {**made_from, "device": "cpu", "steps_total": settings.steps, "licence": natural_licence.facts()}
    told = Course(
        listener=task.listener,
        criterion=CRITERION,
        stage_of=lambda step: _SPECTRAL if step <= settings.spectral_steps else _ADVERSARIAL,
        history=lambda: adaptation.history,
    )
    known = {"seed": task.seed, "threads": task.threads, "settings": settings.as_dict(), "base": natural_base.hashes()}
    # The pronunciations belong to the program: it holds the hashes of their files.
    save = resume.take_up(task.state, {**facts, **known}, adaptation.restore, note=task.listener.note)

    def evaluated(row: dict[str, Any]) -> None:
        told.evaluated()
        sampler(row["step"], moderated(start.fitted, adaptation.average), material.speaker)

    adaptation.hooks = Hooks(
        on_step=told.step,
        on_evaluation=evaluated,
        on_failure=told.failed,
        save_state=save,
        stop_requested=task.listener.stop_requested,
    )
    task.listener.train_started(facts)
    if not adaptation.history:  # a state of step 0 has been evaluated already
        adaptation.evaluate()
    adaptation.train_to_the_end()
    model = moderated(start.fitted, adaptation.average)
    training = {"steps": settings.steps, "utterances": len(material.training), **made_from, **known}
    return Outcome(
        document=natural_document.document(model=model, speaker=material.speaker, training=training),
        learning={**told.learning(), **learning.losses(start, model, material.speaker)},
        last_loss=told.last_loss,
        facts=facts,
    )
