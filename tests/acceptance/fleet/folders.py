"""A folder of voices whose jobs are the tiny trainer: real sessions in about two seconds each."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from acceptance.objective import PROJECT_ROOT
from tests.acceptance.harness import environment
from tests.acceptance.kit import TRAINER

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5804117\n"
OBJECTIVE = """
runtime = "process"
audio = "data/{name}.wav"
manifest = "out/{name}/dataset/manifest.json"
status = "out/{name}/status/train_status.json"
checkpoint = "out/{name}/checkpoints/voice.pt"
min_audio_bytes = 100
remeasure = false
backbone = "vocoder"
command = ["/bin/sh", "{script}"]
env = {{ KIT = "{kit}", TINY_MODE = "{mode}" }}
"""


def add(folder: Path, name: str, kit: Path, *, mode: str = "ok", audio: bytes | None = None) -> Path:
    """Write an objective and its recording into a folder; returns the objective."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / f"data/{name}.wav").write_bytes((kit / "recording.wav").read_bytes() if audio is None else audio)
    path = folder / f"{name}.toml"
    path.write_text(OBJECTIVE.format(name=name, script=TRAINER, kit=kit, mode=mode))
    return path


def learns_nothing(kit: Path, directory: Path) -> Path:
    """A copy of the kit whose status says that the trained voice is no better than its start."""
    shutil.copytree(kit, directory)
    status = json.loads((directory / "status.json").read_text())
    status["learning"] |= {"heldout_loss_trained": 4.0, "improvement": 0.0}
    (directory / "status.json").write_text(json.dumps(status))
    return directory


def command(folder: Path, output: Path, *arguments: str) -> list[str]:
    """The command line of `voice fleet`."""
    return [sys.executable, "-m", "acceptance.cli", "fleet", str(folder), "--output", str(output), *arguments]


def fleet(
    folder: Path, output: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `voice fleet` to its end."""
    return subprocess.run(
        command(folder, output, *arguments),
        cwd=PROJECT_ROOT,
        env=environment(env),
        capture_output=True,
        text=True,
        check=False,
    )


def rows(output: Path) -> dict[str, dict[str, object]]:
    """The rows of fleet.json by name."""
    return {row["objective"]: row for row in json.loads((output / "fleet.json").read_text())["voices"]}


def runs(output: Path, names: Sequence[str]) -> list[int]:
    """How many runs each voice has."""
    return [len(list((output / f"workspaces/{name}/artifacts/runs").iterdir())) for name in names]
