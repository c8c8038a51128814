"""From a manifest to the document of a natural voice: gather, resume, adapt, prove; the caller decides where the result goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trainer.backbones.natural import learning
from trainer.backbones.natural.material import NaturalMaterial, gather
from trainer.backbones.natural.settings import NaturalSettings
from trainer.backbones.natural.training import NaturalAdaptation
from trainer.dataset import manifest
from trainer.models.natural import NaturalModel, pronunciations
from trainer.training import determinism, resume
from trainer.training.loop import Hooks
from trainer.training.session import Listener, Outcome, Task
from trainer.voice import natural_base, natural_document
from trainer.voice.natural_document import NaturalSpeaker

Sampler = Callable[[int, NaturalModel, NaturalSpeaker], None]
"""Given the model as it is at a step, writes what a person can listen to."""
CRITERION = "decoder"
"""Whose losses the history's rows are: those by which it is trained, not the proof's."""
_SPECTRAL, _ADVERSARIAL = "spectra", "spectra and discriminators"


def gathered(task: Task, settings: NaturalSettings) -> NaturalMaterial:
    """What is learnt from; raises DataError as `gather`, and tells the listener what is left out."""
    determinism.fix(task.threads)
    material = gather(
        task.manifest, manifest.load(task.manifest), settings, on_progress=task.listener.features_extracted
    )
    for line in material.left_out:
        task.listener.note(f"left out {line}")
    return material


def fit(task: Task, settings: NaturalSettings, *, material: NaturalMaterial | None, sampler: Sampler) -> Outcome:
    """Adapt the shipped base to a manifest's speaker (`material` is what was gathered of it), continuing from the state where that fits.

    Raises DataError as `gather`, RuntimeSetupError where the base is damaged, TrainingError(non_finite_loss | interrupted). The state file
    stays until the caller has saved the outcome (`resume.clear`).
    """
    determinism.fix(task.threads)
    document, manifest_sha256 = manifest.load_with_digest(task.manifest)
    material = material or gathered(task, settings)
    base = natural_base.load()
    adaptation = NaturalAdaptation(
        settings=settings, seed=task.seed, base=base,
        training=material.training, held_out=material.held_out, highest_hz=material.highest_hz,
    )  # fmt: skip
    made_from = {"audio_sha256": document.source.sha256, "manifest_sha256": manifest_sha256}
    facts = {**made_from, "device": "cpu", "steps_total": settings.steps}
    telling = _Telling(listener=task.listener, adaptation=adaptation, speaker=material.speaker, sampler=sampler)
    known = {"seed": task.seed, "threads": task.threads, "settings": settings.as_dict(), "base": natural_base.hashes()}
    belongs = {**facts, **known, "pronunciations": pronunciations.digest()}
    _resume(adaptation, task, resume.fingerprint(belongs), telling)
    task.listener.train_started(facts)
    if not adaptation.history:  # a state of step 0 has been evaluated already
        adaptation.evaluate()
    adaptation.train_to_the_end()
    model = adaptation.average.eval()
    training = {"steps": settings.steps, "utterances": len(material.training), **made_from, **known}
    return Outcome(
        document=natural_document.document(model=model, speaker=material.speaker, training=training),
        learning={
            **telling.learning(),
            **learning.losses(learning.measure_start(base, material), model, material.speaker),
        },
        last_loss=telling.last_loss,
        facts=facts,
    )


def _resume(adaptation: NaturalAdaptation, task: Task, fingerprint: str, telling: _Telling) -> None:
    """Take up the saved state where it is of this run, and connect the loop with its listener."""
    state, why = resume.load(task.state, fingerprint)
    if why:
        task.listener.note(why)
    if state is not None:
        adaptation.restore(state)
    adaptation.hooks = Hooks(
        on_step=telling.step,
        on_evaluation=telling.evaluation,
        on_failure=lambda counts: task.listener.failed({**telling.learning(), **counts}),
        save_state=lambda value: resume.save(task.state, fingerprint, value),
        stop_requested=task.listener.stop_requested,
    )


@dataclass(slots=True, kw_only=True)
class _Telling:
    """What a running adaptation tells its listener."""

    listener: Listener
    adaptation: NaturalAdaptation
    speaker: NaturalSpeaker
    sampler: Sampler
    last_loss: float = float("nan")
    stage: str = ""

    def step(self, step: int, loss: float) -> None:
        """One step; a stage that begins is told."""
        stage = _ADVERSARIAL if self.adaptation.adversarial else _SPECTRAL
        if stage != self.stage:
            self.stage = stage
            self.listener.note(f"stage: {stage} from step {step}")
        self.last_loss = loss
        self.listener.step(step, loss, stage)

    def evaluation(self, row: dict[str, Any]) -> None:
        """Held-out losses, and something to listen to."""
        self.listener.evaluated(self.learning())
        self.sampler(row["step"], self.adaptation.average, self.speaker)

    def learning(self) -> dict[str, Any]:
        """The `learning` block as far as it is known: the proof's losses come at the end, and are not those of the history."""
        return {
            "criterion": CRITERION,
            "history": [list(row) for row in self.adaptation.history],
            "nonfinite_losses": 0,
            "nonfinite_gradients": 0,
        }
