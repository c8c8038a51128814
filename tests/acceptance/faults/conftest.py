"""A real training's artifacts, a tiny base image, a bystander that every fault must spare, and sites to inject faults into."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.runtimes.base import LABEL_OWNER, LABEL_RUN_ID
from acceptance.runtimes.ownership import current_owner
from tests import shared
from tests.acceptance.engines import docker, require_engine, tiny_base_image
from tests.acceptance.faults import site as sites
from tests.acceptance.faults.site import Genuine, Site
from tests.acceptance.harness import Session, run_acceptance
from trainer.teachers.demo_recording import render
from trainer.teachers.demo_sentences import SENTENCES

SMALL = {
    "STEPS": 20,
    "WIDTH": 32,
    "HIDDEN": 64,
    "BLOCKS": 2,
    "BATCH_SIZE": 4,
    "EVALUATE_EVERY": 20,
    "WARMUP_STEPS": 2,
    "HELDOUT_SECONDS": 10,
}
LEARNED = {
    "heldout_loss_start": 1.0, "heldout_loss_trained": 0.5, "improvement": 0.5,
    "control_loss_start": 1.0, "control_loss_trained": 0.9, "control_improvement": 0.1,
}  # fmt: skip


@pytest.fixture(scope="session")
def small_training(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A real training in the process runtime, too short to learn enough; its files are not to be changed."""
    return pickle.loads((shared.once(tmp_path_factory, "genuine", _train) / "session").read_bytes())


def _train(folder: Path) -> None:
    workspace = folder / "workspace"
    (workspace / "data").mkdir(parents=True)
    render(workspace / sites.AUDIO, workspace / "data/rec.txt", sentences=SENTENCES[:9])
    objective = {
        "name": "small", "runtime": "process", "min_audio_bytes": 1000, "audio": sites.AUDIO,
        "manifest": sites.MANIFEST, "status": sites.STATUS, "checkpoint": sites.CHECKPOINT, "backbone": "vocoder",
        "env": {f"VOICE_TRAIN_{name}": str(value) for name, value in SMALL.items()},
    }  # fmt: skip
    path = workspace.parent / "small.toml"
    path.write_text(sites.toml(objective))
    (folder / "session").write_bytes(pickle.dumps(run_acceptance(workspace, "--objective", str(path))))


@pytest.fixture(scope="session")
def genuine(small_training: Session) -> Genuine:
    """The artifacts of that training, with a learning claim that satisfies the policy."""
    run_dir = small_training.run_dir
    assert run_dir is not None, small_training.stdout + small_training.stderr
    workspace, rejected = run_dir.parents[2], run_dir / "rejected"
    status = json.loads((rejected / "train_status.json").read_text())
    status["learning"] |= LEARNED
    return Genuine(
        audio=workspace / sites.AUDIO,
        dataset=(workspace / sites.MANIFEST).parent,
        manifest=rejected / "manifest.json",
        status=status,
        checkpoint=rejected / "voice.pt",
    )


@pytest.fixture(scope="session")
def base_image() -> Iterator[str]:
    """A tiny base image on the machine's engine."""
    require_engine()
    with tiny_base_image() as tag:
        yield tag
        docker("rmi", "-f", f"{tag.replace(':', '-')}-job:latest")


@pytest.fixture(scope="session")
def bystander(base_image: str) -> Iterator[str]:
    """Another run's container: alive, owned by a living process, labelled as ours are."""
    run_id = f"bystander-{uuid.uuid4().hex[:12]}"
    labels = ("--label", f"{LABEL_RUN_ID}={run_id}", "--label", f"{LABEL_OWNER}={current_owner()}")
    name = docker("run", "-d", "--network", "none", *labels, "--name", run_id, base_image, "/bin/sleep", "3600")
    yield name
    docker("rm", "-f", name)


@pytest.fixture
def process_site(tmp_path: Path, genuine: Genuine) -> Site:
    """A workspace for the process runtime."""
    return _site(tmp_path, "process", genuine, None)


@pytest.fixture
def docker_site(tmp_path: Path, genuine: Genuine, base_image: str, bystander: str) -> Iterator[Site]:
    """A workspace for the docker runtime; afterwards the bystander still runs and nothing else of this base is left."""
    yield _site(tmp_path, "docker", genuine, base_image)
    assert docker("ps", "-q", "--no-trunc", "--filter", f"id={bystander}") == bystander
    assert docker("ps", "-aq", "--no-trunc", "--filter", f"ancestor={base_image}").split() == [bystander]


@pytest.fixture(params=["docker", "process"])
def site(request: pytest.FixtureRequest) -> Site:
    """The same fault on both runtimes."""
    return request.getfixturevalue(f"{request.param}_site")


@pytest.fixture(scope="session")
def as_nobody() -> tuple[str, ...]:
    """Prefix that runs a session as another user; skips where that user cannot run this Python."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv to run the session as another user")
    prefix = ("setpriv", f"--reuid={sites.NOBODY}", f"--regid={sites.NOBODY}", "--clear-groups")
    command = [*prefix, sys.executable, "-c", "import docker, pytest, soundfile"]
    if subprocess.run(command, capture_output=True, check=False, cwd="/").returncode != 0:
        pytest.skip(f"uid {sites.NOBODY} cannot run this Python")
    return prefix


def _site(directory: Path, runtime: str, genuine: Genuine, base: str | None) -> Site:
    made = Site(workspace=directory / "workspace", runtime=runtime, genuine=genuine, base=base)
    made.prepare()
    return made
