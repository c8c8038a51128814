"""The process runtime: the same entrypoint, environment contract, deadlines and log as in a container, in a guarded subprocess."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from acceptance.failure import EnvironmentBlocked, not_written
from acceptance.runtimes.base import BuildSpec, ContainerSpec, Image, LineSink, Probe, RunningContainer
from acceptance.runtimes.build_context import Archive
from acceptance.runtimes.process.guarded_process import GuardedProcess, network_isolation
from acceptance.runtimes.process.record import RECORD_NAME, ProcessRecord
from acceptance.runtimes.write_probe import probe_command, probe_spec, probed

ENTRYPOINT = PurePosixPath("docker/voice-train/run_voice_train.sh")
SOURCES = "trainer"
_INTERPRETER_TIMEOUT_S = 60
_GENERATED = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache"})


class ProcessRuntime:
    """`acceptance.runtimes.base.Runtime` without an engine.

    `project_root` holds the trainer's sources and the entrypoint; `runs_root` the runs' directories (whose leftovers `reap` ends);
    `interpreter` is the Python that the job uses.
    """

    name = "process"

    def __init__(self, *, project_root: Path, runs_root: Path, interpreter: Path | None = None) -> None:
        self._project_root = project_root
        self._runs_root = runs_root
        self._interpreter = interpreter or Path(sys.executable)

    def workspace_root(self, workspace: Path, mount_point: PurePosixPath) -> PurePosixPath:
        return PurePosixPath(workspace)

    def check_cli(self) -> str:
        return "not needed: runtime process"

    def check_daemon(self) -> str:
        return "not needed: runtime process"

    def build(self, spec: BuildSpec, on_line: LineSink) -> Image:
        began = time.monotonic()
        digest = self.context_digest(spec)
        lines = (f"interpreter {self._interpreter_version()}", f"sources sha256 {digest}")
        try:
            spec.log_path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        except OSError as error:
            raise not_written("the build log cannot be written", error, cause="workspace_unwritable") from error
        for line in lines:
            on_line(line)
        return Image(
            id=f"process:sha256:{digest}", tag=spec.tag, context_sha256=digest, seconds=time.monotonic() - began
        )

    def context_digest(self, spec: BuildSpec) -> str:
        entrypoint = self._project_root / ENTRYPOINT
        if not entrypoint.is_file():
            raise EnvironmentBlocked(
                f"the entrypoint is missing: {ENTRYPOINT}", cause="build_context_missing_file", path=ENTRYPOINT
            )
        found = (path.relative_to(self._project_root) for path in (self._project_root / SOURCES).rglob("*"))
        names = {str(name) for name in found if not _GENERATED.intersection(name.parts) and name.suffix != ".pyc"}
        return Archive(self._project_root, {str(ENTRYPOINT), *names}).digest()

    def probe(self, spec: ContainerSpec) -> Probe:
        name = f"voice-acceptance-{spec.run_id}-probe"
        writable = [str(mount.source) for mount in spec.mounts if mount.writable]
        return probed(self._start(probe_spec(spec), probe_command(name.replace("/", "-"), writable)))

    def start(self, spec: ContainerSpec) -> RunningContainer:
        return self._start(spec, spec.command or (str(self._project_root / ENTRYPOINT),))

    def forget(self, run_id: str) -> None:
        for path in self._runs_root.glob(f"*/{RECORD_NAME}"):
            record = ProcessRecord.read(path)
            if record is not None and record.run_id == run_id and record.end():
                with contextlib.suppress(OSError):
                    path.unlink()

    def reap(self, run_ids: frozenset[str] = frozenset()) -> tuple[str, ...]:
        reaped = set()
        for path in sorted(self._runs_root.glob(f"*/{RECORD_NAME}")):
            record = ProcessRecord.read(path)
            if record is not None and record.end_leftovers(abandoned=record.run_id in run_ids):
                reaped.add(record.run_id)
                with contextlib.suppress(OSError):
                    path.unlink()
        return tuple(sorted(reaped))

    def facts(self) -> Mapping[str, str]:
        return {
            "engine": "process",
            "interpreter": str(self._interpreter),
            "network": network_isolation(self._interpreter) or "none",
            "root_filesystem": "not isolated: runtime process",
            "limits": "core 0",
            "memory": "not limited: runtime process",
            "user": "the invoking user",
        }

    def _start(self, spec: ContainerSpec, command: tuple[str, ...]) -> GuardedProcess:
        missing = [str(mount.source) for mount in spec.mounts if not mount.source.is_dir()]
        if missing:
            raise EnvironmentBlocked(
                f"a directory to work on does not exist: {', '.join(missing)}", cause="mount_source_missing"
            )
        return GuardedProcess.start(spec, command, self._interpreter)

    def _interpreter_version(self) -> str:
        command = [str(self._interpreter), "-I", "-S", "-c", "import sys; print(sys.version.replace(chr(10), ' '))"]
        try:
            answer = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=_INTERPRETER_TIMEOUT_S,
                check=True,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EnvironmentBlocked(
                f"the interpreter does not start: {error}", cause="build_step_failed", path=self._interpreter
            ) from error
        return answer.stdout.strip()
