"""A whole adaptation from a manifest: what it writes can be measured again, and a kill in the middle changes nothing."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.backbones.musicgen.conftest import TINY
from trainer import backbones
from trainer.backbones.musicgen import document
from trainer.backbones.musicgen.generation import MusicgenVoice
from trainer.files import checkpoint
from trainer.training.session import Outcome, Task

pytestmark = pytest.mark.training

RUN = """
import os, pathlib, sys
from trainer import backbones
from trainer.training.session import Task
class Listener:
    def __getattr__(self, name):
        return lambda *arguments: print(name, *arguments[:1], flush=True)
    def stop_requested(self):
        return False
manifest, state = map(pathlib.Path, sys.argv[1:])
backbones.create(os.environ, workspace=pathlib.Path("/")).fit(
    Task(manifest=manifest, seed=3, threads=1, state=state, listener=Listener())
)
"""


class Listener:
    """Remembers what it hears."""

    def __init__(self):
        self.heard = []

    def __getattr__(self, name):
        return lambda *arguments: self.heard.append((name, *arguments))

    def stop_requested(self) -> bool:
        return False


@pytest.fixture(scope="module")
def environ(seeded_folder: Path) -> dict[str, str]:
    settings = {f"VOICE_MUSICGEN_{name.upper()}": str(value) for name, value in TINY.items()}
    return {
        **settings,
        "VOICE_BACKBONE_NAME": "musicgen-small",
        "VOICE_BACKBONE_WEIGHTS": str(seeded_folder),
        "VOICE_BACKBONE_LICENCE": "CC-BY-NC-4.0",
    }


@pytest.fixture(scope="module")
def fitted(environ, small_manifest, tmp_path_factory) -> tuple[Outcome, Listener, Path]:
    """(outcome, listener, checkpoint) of one uninterrupted adaptation; not to be changed."""
    directory, listener = tmp_path_factory.mktemp("fitted"), Listener()
    outcome = backbones.create(environ, workspace=Path("/")).fit(
        Task(manifest=small_manifest, seed=3, threads=1, state=directory / "state.pt", listener=listener)
    )
    checkpoint.save(directory / "voice.pt", outcome.document)
    return outcome, listener, directory / "voice.pt"


def test_facts_and_checkpoint_carry_the_licence(fitted):
    outcome, listener, path = fitted
    assert outcome.facts["promotable"] is False
    assert outcome.facts["licence"]["spdx"] == "CC-BY-NC-4.0"
    assert document.load(path)["licence"] == outcome.facts["licence"]
    assert outcome.facts["steps_total"] == TINY["steps"]
    assert ("train_started", outcome.facts) in listener.heard
    assert [call[1] for call in listener.heard if call[0] == "step"] == list(range(1, TINY["steps"] + 1))


def test_the_learning_proof_is_measured_again_from_the_files(environ, fitted, small_manifest):
    outcome, _, path = fitted
    backbone = backbones.create(environ, workspace=Path("/"))
    prepared = backbone.measure_start(small_manifest, seed=3, threads=1)
    measured = backbone.measure(path, small_manifest, seed=3, threads=1, prepared=prepared)
    assert measured["improvement"] > 0 and measured["heldout_seconds"] > 0
    assert {**outcome.learning, **measured} == {**outcome.learning, "heldout_seconds": measured["heldout_seconds"]}
    assert backbone.measure(path, small_manifest, seed=3, threads=1) == measured


def test_what_was_prepared_on_another_manifest_does_not_count(environ, fitted, small_manifest):
    backbone = backbones.create(environ, workspace=Path("/"))
    prepared = backbone.measure_start(small_manifest, seed=3, threads=1)
    forged = replace(prepared, key=("other", *prepared.key[1:]), target_loss=1e9)
    measured = backbone.measure(fitted[2], small_manifest, seed=3, threads=1, prepared=forged)
    assert measured["heldout_loss_start"] == fitted[0].learning["heldout_loss_start"]


def test_the_checkpoint_speaks(fitted, seeded_folder):
    assert len(MusicgenVoice.load(fitted[2], seeded_folder).say("Hello.", seconds=0.1)) == 3200


def test_a_run_killed_in_the_middle_ends_with_the_same_bytes(environ, fitted, small_manifest, tmp_path):
    state = tmp_path / "state.pt"
    job = subprocess.Popen(
        [sys.executable, "-c", RUN, str(small_manifest), str(state)],
        env={**os.environ, **environ, "PYTHONPATH": str(Path(backbones.__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in job.stdout:
        if line.startswith("step 3"):
            job.send_signal(signal.SIGKILL)
            break
    assert job.wait(60) == -signal.SIGKILL and state.exists()
    listener = Listener()
    outcome = backbones.create(environ, workspace=Path("/")).fit(
        Task(manifest=small_manifest, seed=3, threads=1, state=state, listener=listener)
    )
    assert any("continuing from the saved state" in call[1] for call in listener.heard if call[0] == "note")
    assert ("step", 1) not in [call[:2] for call in listener.heard]
    assert checkpoint.serialise(outcome.document) == fitted[2].read_bytes()
    assert outcome.learning == fitted[0].learning
