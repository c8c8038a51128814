"""One job as a container runs it: of the default backbone, or with the settings that a subclass adds."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from trainer.files import strict_json
from trainer.job.run import run

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Job:
    """One job with its outputs in a folder of its own."""

    source: Path
    outputs: Path
    settings: ClassVar[Mapping[str, str]] = {}

    @property
    def state(self) -> Path:
        return self.outputs / "status/train_state.pt"

    @property
    def status(self) -> Path:
        return self.outputs / "status/train_status.json"

    @property
    def voice(self) -> Path:
        return self.outputs / "checkpoints/voice.pt"

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "RUN_ID": "run-1",
            "VOICE_WORKSPACE": str(self.source.parent),
            "VOICE_SOURCE_AUDIO": str(self.source),
            "MANIFEST_PATH": str(self.outputs / "data/manifest.json"),
            "TRAIN_STATUS_PATH": str(self.status),
            "CHECKPOINT_PATH": str(self.voice),
            "SEED": "3",
            "NUM_THREADS": "1",
            **self.settings,
        }

    def status_now(self) -> dict[str, Any]:
        """What the status says."""
        return strict_json.loads(self.status.read_bytes())

    def here(self, **changes: str) -> tuple[int, str]:
        """Run to the end in this process: (exit code, output)."""
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        stdout = io.StringIO()
        try:
            return run({**self.environ, **changes}, stdout), stdout.getvalue()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def finished(self) -> str:
        """Run to the end; gives the output."""
        done = subprocess.run(command(), env=self.environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def killed(self, is_time: Callable[[str], bool]) -> list[str]:
        """Run until a line of the output says that it is time, and kill; gives the lines so far."""
        job = subprocess.Popen(command(), env=self.environ, stdout=subprocess.PIPE, text=True)
        lines = []
        for line in job.stdout:
            lines.append(line.rstrip("\n"))
            if is_time(lines[-1]):
                job.kill()
                break
        assert job.wait(20) == -signal.SIGKILL, lines
        job.stdout.close()
        return lines


def command() -> list[str]:
    return [sys.executable, "-m", "trainer", "run"]
