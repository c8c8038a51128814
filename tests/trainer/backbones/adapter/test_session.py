"""From a manifest with transcripts to a voice, on the shipped base: what is learnt from, and the same bytes with and without a break."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from trainer.backbones.adapter import material, session
from trainer.backbones.adapter.backbone import SpectralAdapter
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.dataset import manifest
from trainer.errors import DataError, TrainingError
from trainer.files import checkpoint
from trainer.preparation.prepare import prepare
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.training import acoustic_loop
from trainer.training.session import Task
from trainer.voice import document as voice

pytestmark = pytest.mark.training

SHORT = AdaptationSettings(
    acoustic_steps=3, batch_frames=600, evaluate_every=2, warmup_steps=1, vocoder_steps=1, vocoder_own_steps=1, vocoder_batch=2,
    vocoder_frames=16, save_every=2, heldout_seconds=12.0,
)  # fmt: skip
BACKBONE = SpectralAdapter(settings=SHORT)


class Listener:
    """Remembers notes; asks to stop after a given step."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.notes: list[str] = []
        self.stop_after, self.at = stop_after, 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def features_extracted(self, done: int, total: int) -> None:
        pass

    def train_started(self, facts: dict) -> None:
        self.facts = facts

    def step(self, step: int, loss: float, stage: str = "") -> None:
        self.at = step

    def evaluated(self, learning: dict) -> None:
        self.learning = learning

    def failed(self, learning: dict) -> None:
        self.learning = learning

    def stop_requested(self) -> bool:
        return self.at >= self.stop_after


@pytest.fixture(scope="module")
def spoken_manifest(spoken_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips of `spoken_table`, prepared."""
    path = tmp_path_factory.mktemp("dataset") / "manifest.json"
    prepare(spoken_table, path, workspace=spoken_table.parent, transcribe=True)
    return path


def fit(manifest_path: Path, directory: Path, listener: Listener | None = None) -> session.Outcome:
    state = directory / "state.pt"
    task = Task(manifest=manifest_path, seed=5, threads=2, state=state, listener=listener or Listener())
    return session.fit(task, SHORT, material=BACKBONE.gathered(task))


def test_a_voice_is_made_resumed_to_the_same_bytes_and_measured_again_from_the_files(spoken_manifest, tmp_path):
    whole = fit(spoken_manifest, tmp_path / "whole")
    with pytest.raises(TrainingError) as caught:
        fit(spoken_manifest, tmp_path / "broken", Listener(stop_after=2))
    assert caught.value.cause == "interrupted"
    listener = Listener()
    resumed = fit(spoken_manifest, tmp_path / "broken", listener)
    assert any("continuing from the saved state at step 2" in note for note in listener.notes)
    assert checkpoint.serialise(resumed.document) == checkpoint.serialise(whole.document)

    checkpoint.save(tmp_path / "voice.pt", whole.document)
    assert (
        voice.load(tmp_path / "voice.pt").training["manifest_sha256"] == manifest.load_with_digest(spoken_manifest)[1]
    )
    again = BACKBONE.measure(tmp_path / "voice.pt", spoken_manifest, seed=5, threads=2)
    assert {key: whole.learning[key] for key in again} == pytest.approx(again, rel=1e-6)


@pytest.mark.parametrize(("broken", "counted"), [("gradient", (0, 1)), ("loss", (1, 0))])
def test_the_status_of_a_broken_run_says_whether_a_loss_or_a_gradient_was_not_finite(
    broken, counted, spoken_manifest, tmp_path, monkeypatch
):
    if broken == "gradient":
        monkeypatch.setattr(torch.nn.utils, "get_total_norm", lambda *_: torch.tensor(float("inf")))
    else:
        whole = acoustic_loop.forward_losses

        def in_training(*arguments):
            found = whole(*arguments)
            return found._replace(frames=found.frames * float("nan")) if torch.is_grad_enabled() else found

        monkeypatch.setattr(acoustic_loop, "forward_losses", in_training)
    listener = Listener()
    with pytest.raises(TrainingError) as caught:
        fit(spoken_manifest, tmp_path, listener)
    assert caught.value.cause == "non_finite_loss"
    assert (listener.learning["nonfinite_losses"], listener.learning["nonfinite_gradients"]) == counted


def test_a_manifest_without_transcripts_says_so_before_training(small_manifest, tmp_path):
    with pytest.raises(DataError) as caught:
        fit(small_manifest, tmp_path)
    assert caught.value.cause == "transcript_missing"


def test_transcripts_of_other_utterances_are_refused_with_how_much_is_needed(spoken_manifest, tmp_path):
    document = manifest.load(spoken_manifest)
    texts = [entry.transcript for entry in document.entries]
    swapped = [dataclasses.replace(entry, transcript=texts[-1 - index]) for index, entry in enumerate(document.entries)]
    with pytest.raises(DataError, match=f"at least {PrepareSettings().min_transcribed_s:.0f} s are needed") as caught:
        gather(spoken_manifest, dataclasses.replace(document, entries=tuple(swapped)))
    assert caught.value.cause == "transcript_mismatch"


def test_a_few_wrong_transcripts_are_left_out_by_name(spoken_manifest):
    document = manifest.load(spoken_manifest)
    wrong = dataclasses.replace(
        document.entries[3], transcript="Nothing of this was ever said by anybody in any room at all."
    )
    found = gather(
        spoken_manifest, dataclasses.replace(document, entries=(*document.entries[:3], wrong, *document.entries[4:]))
    )
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith(f"{wrong.id}: the sound does not bear out its transcript")


def test_how_well_a_transcript_has_to_fit_is_what_the_preparation_was_told(spoken_manifest):
    document = manifest.load(spoken_manifest)

    def told(**settings: float) -> manifest.Manifest:
        asked = {**document.preparation.settings, **settings}
        return dataclasses.replace(document, preparation=dataclasses.replace(document.preparation, settings=asked))

    with pytest.raises(DataError, match="bear out their transcripts") as caught:
        gather(spoken_manifest, told(min_transcript_confidence=1.0))
    assert caught.value.cause == "transcript_mismatch"
    with pytest.raises(DataError, match="fitting transcript") as caught:
        gather(spoken_manifest, told(min_transcript_confidence=1.0, min_fitting_share=0.0))
    assert caught.value.cause == "too_little_speech"


def test_material_is_aligned_whole(spoken_manifest):
    found = gather(spoken_manifest, manifest.load(spoken_manifest))
    assert found.left_out == ()
    assert {one.confidence > 0.5 for one in found.training} == {True}
    assert torch.linalg.vector_norm(found.embedding).item() == pytest.approx(1.0, abs=0.1)


def gather(path: Path, document: manifest.Manifest) -> material.Material:
    return material.gather(path, document, AdaptationSettings(train_seconds=600.0, heldout_seconds=30.0))
