"""A session of the natural backbone on a tiny base: a break anywhere leaves the history and the bytes of a run without one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.backbones.natural.conftest import SETTINGS
from trainer.backbones.natural import session, training
from trainer.backbones.natural.material import NaturalMaterial
from trainer.errors import TrainingError
from trainer.files import checkpoint
from trainer.models.natural import NaturalModel
from trainer.training.session import Outcome, Task
from trainer.voice import natural_document
from trainer.voice.natural_speaker import NaturalSpeaker

pytestmark = pytest.mark.training


@dataclasses.dataclass
class Listener:
    """Asks to stop after a step."""

    stop_after: int = 10**9
    at: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def features_extracted(self, done: int, total: int) -> None:
        """Nothing is gathered here."""

    def train_started(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def step(self, step: int, loss: float, stage: str = "") -> None:
        self.at = step

    def evaluated(self, learning: dict[str, Any]) -> None:
        self.learning = learning

    failed = evaluated

    def stop_requested(self) -> bool:
        return self.at >= self.stop_after


@pytest.mark.parametrize(("broken", "counted"), [("gradient", (0, 1)), ("loss", (1, 0))])
def test_the_status_of_a_broken_run_says_whether_a_loss_or_a_gradient_was_not_finite(
    broken: str,
    counted: tuple[int, int],
    base: NaturalModel,
    gathered: NaturalMaterial,
    small_manifest: Path,
    tmp_path: Path,
    monkeypatch,
) -> None:
    monkeypatch.setattr(session.natural_base, "for_speaker", lambda vector: base)
    if broken == "gradient":
        monkeypatch.setattr(torch.nn.utils, "get_total_norm", lambda *_: torch.tensor(float("inf")))
    else:
        spectral_loss = training.spectral_loss
        monkeypatch.setattr(
            training,
            "spectral_loss",
            lambda *given: spectral_loss(*given) * (float("nan") if torch.is_grad_enabled() else 1.0),
        )
    listener = Listener()
    task = Task(manifest=small_manifest, seed=3, threads=1, state=tmp_path / "state", listener=listener)
    with pytest.raises(TrainingError) as caught:
        session.fit(task, SETTINGS, material=gathered, sampler=lambda step, model, speaker: None)
    assert caught.value.cause == "non_finite_loss"
    assert (listener.learning["nonfinite_losses"], listener.learning["nonfinite_gradients"]) == counted


@pytest.mark.parametrize("stop_after", [0, 5])
def test_a_session_that_was_stopped_ends_as_one_without_a_break(
    stop_after: int, base: NaturalModel, gathered: NaturalMaterial, small_manifest: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(session.natural_base, "for_speaker", lambda vector: base)

    heard: dict[int, str] = {}

    def fit(name: str, listener: Listener) -> Outcome:
        task = Task(manifest=small_manifest, seed=3, threads=1, state=tmp_path / name, listener=listener)
        return session.fit(task, SETTINGS, material=gathered, sampler=sample)

    def sample(step: int, model: NaturalModel, speaker: NaturalSpeaker) -> None:
        heard[step] = checkpoint.content_sha256(model.state_dict())

    whole = fit("whole", Listener())
    kept = natural_document.restore(whole.document).model
    assert heard[SETTINGS.steps] == checkpoint.content_sha256(kept.state_dict()), "the last samples are not the voice"
    with pytest.raises(TrainingError) as caught:
        fit("broken", Listener(stop_after=stop_after))
    assert caught.value.cause == "interrupted"
    listener = Listener()
    resumed = fit("broken", listener)
    assert listener.notes[0] == f"continuing from the saved state at step {stop_after}"
    assert [row[0] for row in resumed.learning["history"]] == [0, 3, 6, 7]
    assert resumed.learning == whole.learning
    assert checkpoint.serialise(resumed.document) == checkpoint.serialise(whole.document)
