"""A workspace with a recording, and a job of a few lines of shell: real sessions in about two seconds each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from tests.acceptance import kit as kits
from tests.acceptance.harness import Session, collect, environment, start_acceptance
from tests.trainer.synthesis import untrained_voice
from trainer.dataset import manifest as manifests
from trainer.files import checkpoint

OUTPUTS = ("out/dataset/manifest.json", "out/status/train_status.json", "out/checkpoints/voice.pt")
OBJECTIVE = """
runtime = "process"
audio = "data/recording.wav"
manifest = "out/dataset/manifest.json"
status = "out/status/train_status.json"
checkpoint = "out/checkpoints/voice.pt"
min_audio_bytes = 1000
remeasure = false
backbone = "vocoder"
command = ["/bin/sh", "{script}"]
env = {{ KIT = "{kit}" }}
"""

CONSENT = """
[speaker]
name = "A synthetic speaker"
consent = 2026-01-01
scope = ["train", "produce"]
[recording]
licence = "CC0-1.0"
[weights]
licence = "Apache-2.0"
"""
LENIENT = (
    "production.min_similarity=-1", "production.min_realism=1", "production.max_wer=10", "production.reject_wer=10", "production.max_faults=20",
    "production.min_grade=D", "scorecard.grades.D=0", "production.min_judged_s=0",
)  # fmt: skip
"""An untrained voice can be heard and judged, and not more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One workspace, the objective file to judge it by, and sessions on it."""

    workspace: Path
    objective: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def options(self, *arguments: str) -> list[str]:
        return ["--objective", str(self.objective), "--workspace", str(self.workspace), *arguments]

    def start(
        self, *arguments: str, target: str = "acceptance", env: dict[str, str | None] | None = None
    ) -> subprocess.Popen[str]:
        """Start a session of its own process group; nothing but the workspace is shared with others."""
        process = start_acceptance(None, *self.options(*arguments), env=env, target=target, quiet=False)
        self.started.append(process)
        return process

    def run(self, *arguments: str, target: str = "acceptance", env: dict[str, str | None] | None = None) -> Session:
        return collect(self.start(*arguments, target=target, env=env))

    def running_job(self, process: subprocess.Popen[str]) -> int:
        """Wait until the job of a started session hangs and the session watches it; the job's process id."""
        journal = self.workspace / "artifacts/latest/events.jsonl"
        watching = b'"event": "step_started", "step": "phase_3_readiness.train_report_emitted"'
        wait_for(lambda: process.poll() is not None or (journal.is_file() and watching in journal.read_bytes()))
        assert process.poll() is None, collect(process).stdout
        pid = self.workspace / "out/status/job.pid"
        wait_for(lambda: pid.is_file() and pid.read_text().endswith("\n"))
        return int(pid.read_text())

    def report(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`voice report` on this workspace."""
        return subprocess.run(
            [sys.executable, "-m", "acceptance.cli", "report", "--workspace", str(self.workspace), *arguments],
            cwd=PROJECT_ROOT, env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip

    def outputs(self) -> dict[str, bytes]:
        return {path: (self.workspace / path).read_bytes() for path in OUTPUTS if (self.workspace / path).exists()}

    def plant_outputs(self) -> dict[str, bytes]:
        """Put files of an earlier run in the places of the outputs; returns their bytes."""
        for path in OUTPUTS:
            (self.workspace / path).parent.mkdir(parents=True, exist_ok=True)
            (self.workspace / path).write_bytes(f"earlier {path}".encode())
        return self.outputs()


def wait_for(condition: Callable[[], object], timeout: float = 30) -> None:
    give_up = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tiny trainer delivers."""
    return kits.write(tmp_path_factory.mktemp("kit"))


@pytest.fixture(scope="module")
def make_bench(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Bench]]:
    """Makes workspaces; whatever a test leaves running in them is ended."""
    directory = tmp_path_factory.mktemp("sessions")
    objective = directory / "tiny.toml"
    objective.write_text(OBJECTIVE.format(script=kits.TRAINER, kit=kit))
    made: list[Bench] = []

    def make(name: str) -> Bench:
        workspace = directory / name
        (workspace / "data").mkdir(parents=True)
        (workspace / "data/recording.wav").write_bytes((kit / "recording.wav").read_bytes())
        made.append(Bench(workspace=workspace, objective=objective))
        return made[-1]

    yield make
    for bench in made:
        for process in bench.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


@pytest.fixture
def bench(make_bench: Callable[..., Bench], request: pytest.FixtureRequest) -> Bench:
    return make_bench(request.node.name)


def write_speaking_kit(folder: Path, recording: Path, manifest: Path, **voice: float) -> Path:
    """What a job delivers whose voice can speak: real clips, and a checkpoint of a few kilobytes."""
    kits.write(folder)
    shutil.copy(recording, folder / "recording.wav")
    shutil.rmtree(folder / "dataset")
    shutil.copytree(manifest.parent, folder / "dataset")
    found = manifests.load(manifest)
    source = replace(found.source, path="data/recording.wav")
    (folder / "manifest.json").write_bytes(manifests.dumps(replace(found, source=source)))
    (folder / "dataset" / manifest.name).unlink()
    untrained_voice.write(folder / "checkpoint.pt", **voice)
    digests = {name: kits.digest((folder / file).read_bytes()) for name, file in
               (("audio_sha256", "recording.wav"), ("manifest_sha256", "manifest.json"), ("checkpoint_sha256", "checkpoint.pt"))}  # fmt: skip
    status = json.loads((folder / "status.json").read_text()) | digests
    status["content_sha256"] = checkpoint.content_sha256(checkpoint.read_with_sha256(folder / "checkpoint.pt")[0])
    (folder / "status.json").write_text(json.dumps(status))
    return folder


@pytest.fixture(scope="session")
def speaking_kit(small_recording: Path, small_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit of one voice."""
    return write_speaking_kit(tmp_path_factory.mktemp("speaking"), small_recording, small_manifest)


@pytest.fixture(scope="module")
def make_speaking(speaking_kit: Path, make_bench: Callable[..., Bench]) -> Callable[..., Bench]:
    """Makes a workspace whose job delivers a voice that can speak, with two prompts and, if wanted, a consent record."""

    def make(name: str, *, consent: str | None = CONSENT) -> Bench:
        bench = make_bench(name)
        objective = bench.workspace / "tiny.toml"
        objective.write_text(OBJECTIVE.format(script=kits.TRAINER, kit=speaking_kit))
        shutil.copy(speaking_kit / "recording.wav", bench.workspace / "data/recording.wav")
        (bench.workspace / "prompts.txt").write_text("Thank you.\n\U0001f600\nSit down.\n", encoding="utf-8")
        if consent is not None:
            (bench.workspace / "data/voice.toml").write_text(consent, encoding="utf-8")
        return replace(bench, objective=objective)

    return make
