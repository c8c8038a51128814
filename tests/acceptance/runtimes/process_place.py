"""A small project for the process runtime to run, and ways to look at what runs."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from pathlib import Path, PurePosixPath

from acceptance.runtimes.base import BindMount, BuildSpec, ContainerSpec, Image
from acceptance.runtimes.ownership import current_owner
from acceptance.runtimes.process.runtime import ProcessRuntime

ROOT = Path(__file__).parents[3]


@dataclasses.dataclass(frozen=True)
class Place:
    """A project with a small entrypoint, an output directory and one run's directory."""

    root: Path
    run_id: str

    @property
    def runtime(self):
        return ProcessRuntime(project_root=self.root, runs_root=self.root / "runs")

    @property
    def run_directory(self):
        return self.root / "runs" / self.run_id

    def spec(self, script="true", **changes):
        spec = ContainerSpec(
            image=Image(id="process:test", tag="", context_sha256="", seconds=0.0),
            run_id=self.run_id,
            owner=current_owner(),
            env={},
            command=("/bin/sh", "-c", script),
            mounts=(BindMount(source=self.root / "out", target=PurePosixPath(self.root / "out"), writable=True),),
            workdir=PurePosixPath(self.root / "out"),
            user="",
            memory_bytes=2**28,
            pids_limit=64,
            shm_bytes=2**24,
            deadline_s=30,
            grace_s=2,
            log_path=self.run_directory / "container.log",
        )
        return dataclasses.replace(spec, **changes)

    def build_spec(self):
        return BuildSpec(
            context=self.root,
            dockerfile="Dockerfile",
            tag="t",
            deadline_s=60,
            log_path=self.run_directory / "build.log",
            run_id=self.run_id,
            owner=current_owner(),
        )

    @contextlib.contextmanager
    def started(self, spec):
        process = self.runtime.start(spec)
        try:
            yield process
        finally:
            process.remove()

    def run(self, script, **changes):
        with self.started(self.spec(script, **changes)) as process:
            return process.wait(lambda line: None)

    def alive(self):
        """Pids whose environment names this run."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and f"RUN_ID={self.run_id}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found


def wait_until(condition, limit_s=5.0):
    give_up = time.monotonic() + limit_s
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.05)
    return condition()
