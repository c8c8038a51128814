"""From a manifest to the document of a voice: gather, resume, adapt, prove; the caller decides where the result goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.backbones.adapter.adapt import Adaptation, Hooks
from trainer.backbones.adapter.material import Material, gather
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.dataset import manifest
from trainer.models.acoustic import AcousticModel, Speaker
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.models.vocoder import Vocoder
from trainer.training import determinism, resume
from trainer.training.session import Listener, Outcome, Task
from trainer.voice import base

Sampler = Callable[[int, AcousticModel, Vocoder, Speaker], None]
"""Given the models as they are at a step, writes what a person can listen to."""


def gathered(task: Task, settings: AdaptationSettings) -> Material:
    """What is learnt from; raises DataError as `gather`, and tells the listener what is left out."""
    determinism.fix(task.threads)
    progress = task.listener.features_extracted
    material = gather(task.manifest, manifest.load(task.manifest), settings, on_progress=progress)
    for line in material.left_out:
        task.listener.note(f"left out {line}")
    return material


def fit(
    task: Task, settings: AdaptationSettings, *, sampler: Sampler | None = None, material: Material | None = None
) -> Outcome:
    """Adapt the shipped base to a manifest's speaker (`material` is what was gathered of it), continuing from the state where that fits.

    Raises DataError(manifest_invalid | transcript_missing | too_little_speech), RuntimeSetupError where the base is damaged, and what
    `Adaptation.run` raises. The state file stays until the caller has saved the outcome (`resume.clear`).
    """
    determinism.fix(task.threads)
    document, manifest_sha256 = manifest.load_with_digest(task.manifest)
    material = material or gathered(task, settings)
    listener = task.listener
    adaptation = Adaptation(
        settings=settings, seed=task.seed, base=base.load(),
        training=material.training, held_out=material.held_out, embedding=material.embedding,
    )  # fmt: skip
    made_from = {"audio_sha256": document.source.sha256, "manifest_sha256": manifest_sha256}
    facts = {**made_from, "device": "cpu", "steps_total": settings.steps}
    course = Course(listener, settings)
    belongs = {
        **facts,
        "seed": task.seed,
        "threads": task.threads,
        "settings": settings.as_dict(),
        "base": base.hashes(),
    }
    save = _resumed(adaptation, course, task.state, resume.fingerprint(belongs))
    adaptation.hooks = Hooks(
        on_step=course.step,
        on_evaluation=course.evaluation,
        on_failure=lambda counts: listener.failed({**course.learning(), **counts}),
        on_sample=sampler or (lambda step, acoustic, vocoder, speaker: None),
        save_state=save,
        stop_requested=listener.stop_requested,
    )
    listener.train_started(facts)
    adaptation.run()
    training = {"steps": settings.steps, "threads": task.threads, **made_from, "base": base.hashes()}
    return Outcome(
        document=adaptation.document(training=training),
        learning={**course.learning(), **adaptation.learning(SpeakerEncoder().embed)},
        last_loss=course.last_loss,
        facts=facts,
    )


def _resumed(
    adaptation: Adaptation, course: Course, state_path: Path, fingerprint: str
) -> Callable[[dict[str, Any]], None]:
    """Take up the saved state where it is of this run; what saves the next one."""
    state, why = resume.load(state_path, fingerprint)
    if why:
        course.listener.note(why)
    if state is not None:
        adaptation.restore(state)
        course.remember(adaptation.acoustic.history)
    return lambda value: resume.save(state_path, fingerprint, value)


CRITERION = "acoustic model"
"""Whose losses the history's rows [step, training loss, held-out loss] are: those by which it is trained, not the proof's."""


@dataclass(slots=True)
class Course:
    """What a running adaptation tells its listener, and what is known of its learning so far."""

    listener: Listener
    settings: AdaptationSettings
    last_loss: float = float("nan")
    history: list[list[float | int | None]] = field(default_factory=list)
    stage: str = ""

    def step(self, step: int, loss: float) -> None:
        """One step of any phase; a phase that begins is told, because its loss is another."""
        stage = self._stage_of(step)
        if stage != self.stage:
            self.stage = stage
            self.listener.note(f"stage: {stage} from step {step}")
        self.last_loss = loss
        self.listener.step(step, loss, stage)

    def _stage_of(self, step: int) -> str:
        """Whose loss a step has: the vocoder's is another on what the acoustic model predicts than on real spectra."""
        if step <= self.settings.acoustic_steps:
            return CRITERION
        real = self.settings.acoustic_steps + self.settings.vocoder_steps
        return "vocoder" if step <= real else "vocoder on predicted spectra"

    def remember(self, rows: Sequence[dict[str, float]]) -> None:
        """What an earlier process evaluated already."""
        self.history = [[int(row["step"]), row.get("train"), row["frames"]] for row in rows]

    def evaluation(self, row: dict[str, float]) -> None:
        """Held-out losses of the acoustic model."""
        self.history.append([int(row["step"]), row.get("train"), row["frames"]])
        self.listener.evaluated(self.learning())

    def learning(self) -> dict[str, Any]:
        """The `learning` block as far as it is known: the proof's losses come at the end, and are not those of the history."""
        return {
            "criterion": CRITERION,
            "history": [list(row) for row in self.history],
            "nonfinite_losses": 0,
            "nonfinite_gradients": 0,
        }
