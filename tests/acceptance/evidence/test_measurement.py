"""Measuring ahead: what was measured while the job trained counts for the very manifest it was measured on, and for nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acceptance import objective as settings
from acceptance.evidence import job
from acceptance.evidence.child import Examiner
from acceptance.evidence.examination import ArtifactExamination
from acceptance.evidence.measurement import AHEAD, losses
from acceptance.failure import RuntimeBlocked, TrainFailed
from acceptance.objective import Settings
from trainer.backbones.vocoder import evaluation
from trainer.files import checkpoint
from trainer.models.vocoder import Vocoder, VocoderConfig

NETWORK = {"WIDTH": 16, "HIDDEN": 32, "BLOCKS": 1, "HELDOUT_SECONDS": 6.0}


@pytest.fixture
def objective() -> Settings:
    return settings.load(
        "demo", overrides=["backbone=vocoder", *(f"env.VOICE_TRAIN_{name}={value}" for name, value in NETWORK.items())]
    )


@pytest.fixture
def manifest(small_manifest: Path, objective: Settings, tmp_path: Path) -> Path:
    place = tmp_path / objective.manifest
    shutil.copytree(small_manifest.parent, place.parent)
    return (place.parent / small_manifest.name).rename(place)


@pytest.fixture
def voice(tmp_path: Path, objective: Settings) -> Path:
    model = Vocoder.untrained(VocoderConfig(width=16, hidden=32, blocks=1), seed=1)
    model.output.bias.data += 0.1
    path = tmp_path / objective.checkpoint
    path.parent.mkdir(parents=True)
    checkpoint.save(path, {
        "format": checkpoint.FORMAT, "version": checkpoint.VERSION, "config": model.config.as_dict(), "model": model.state_dict(),
        "features": {}, "training": {},
    })  # fmt: skip
    return path


@pytest.fixture
def baselines(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The manifests on which the untrained start was measured, in order."""
    measured: list[Path] = []
    original: Callable[..., evaluation.Baseline] = evaluation.baseline

    def counted(path: Path, *arguments: object, **options: object) -> evaluation.Baseline:
        measured.append(path)
        return original(path, *arguments, **options)

    monkeypatch.setattr(evaluation, "baseline", counted)
    return measured


@pytest.fixture
def examination(objective: Settings, manifest: Path, voice: Path) -> ArtifactExamination:
    return ArtifactExamination(job.brief(objective, manifest.parents[3], manifest.parents[3], audio_bytes=10**6))


@pytest.fixture
def host(objective: Settings, tmp_path: Path) -> Iterator[Examiner]:
    """The same in a process of its own."""
    with contextlib.closing(Examiner(job.brief(objective, tmp_path, tmp_path, audio_bytes=10**6))) as examiner:
        yield examiner


@pytest.mark.long
def test_what_was_measured_ahead_is_used_and_gives_the_same_losses(examination, manifest, baselines, host) -> None:
    at_once = examination.losses()
    examination.start()
    assert examination.losses() == at_once
    assert len(baselines) == 2, "one measurement at once, one ahead, none again"
    host.begin(AHEAD)
    assert losses(host) == at_once


def test_a_manifest_changed_after_the_marker_is_measured_again(examination, manifest, baselines) -> None:
    examination.start()
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    examination.losses()
    assert len(baselines) == 2


def test_work_that_is_asked_for_ahead_twice_is_done_once(manifest, host) -> None:
    assert host._process is None, "a job that ends before its marker costs no measurement"
    host.begin(AHEAD)
    host.begin(AHEAD)
    assert host._waiting == [AHEAD]


def test_a_pipe_in_the_manifests_place_is_refused_and_blocks_nobody(manifest, voice, host) -> None:
    manifest.unlink()
    os.mkfifo(manifest)
    host.begin(AHEAD)
    with pytest.raises(TrainFailed) as caught:
        losses(host)
    assert caught.value.cause == "manifest_invalid"


def test_a_manifest_that_fails_ahead_fails_again_where_it_is_reported(manifest, voice, host) -> None:
    manifest.write_text("{")
    host.begin(AHEAD)
    with pytest.raises(TrainFailed) as caught:
        losses(host)
    assert caught.value.cause == "manifest_invalid"


def test_weights_that_the_host_lacks_are_a_runtime_matter_and_no_fault_of_the_manifest(tmp_path) -> None:
    overrides = ["backbone=musicgen-small", "weights=nowhere", "weights_licence=CC-BY-NC-4.0"]
    brief = job.brief(settings.load("demo", overrides=overrides), tmp_path, tmp_path, audio_bytes=1)
    with contextlib.closing(Examiner(brief)) as examiner, pytest.raises(RuntimeBlocked) as caught:
        losses(examiner)
    assert caught.value.cause == "weights_missing"


def test_an_examiner_that_is_closed_while_torch_is_being_loaded_leaves_nothing(objective, tmp_path) -> None:
    for moment in (0.0, 0.2, 0.8):
        examiner = Examiner(job.brief(objective, tmp_path, tmp_path, audio_bytes=1))
        examiner.begin("start")
        process = examiner._process
        time.sleep(moment)
        examiner.close()
        assert process.poll() == -signal.SIGKILL
