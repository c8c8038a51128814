"""One job as a guarded subprocess: its environment, its stream into the log, its end, its removal."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from acceptance.failure import RuntimeBlocked, not_written
from acceptance.runtimes.base import ContainerSpec, LineSink, RunResult
from acceptance.runtimes.process.guard import CANNOT_EXECUTE, NOT_FOUND
from acceptance.runtimes.process.oom_counter import oom_kills
from acceptance.runtimes.process.record import HOME_PREFIX, MARK_VARIABLE, RECORD_NAME, ProcessRecord
from acceptance.runtimes.signals import uninterrupted
from acceptance.runtimes.stream import WATCHED_LINES_PER_S, LogTee
from acceptance.runtimes.supervision import Exit, settle, watch

_GUARD = Path(__file__).with_name("guard.py")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SIGKILLED = 128 + signal.SIGKILL
_END_S = 5.0
_READ_BYTES = 64 * 2**10


@functools.cache
def network_isolation(interpreter: Path) -> str:
    """Empty when the kernel lets a job run without network, else `not_isolated (<reason>)`."""
    read, write = os.pipe()
    command = [str(interpreter), "-I", "-S", str(_GUARD), str(read), "none", "--", "/bin/true"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=False, pass_fds=(read,), stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"not_isolated ({error})"
    finally:
        os.close(read)
        os.close(write)
    return "" if answer.returncode == 0 else f"not_isolated ({answer.stderr.strip() or answer.returncode})"


class GuardedProcess:
    """A started job (`acceptance.runtimes.base.RunningContainer`)."""

    def __init__(
        self, spec: ContainerSpec, guard: subprocess.Popen[bytes], lifeline: int, tee: LogTee, record: ProcessRecord
    ) -> None:
        self._spec = spec
        self._guard = guard
        self._lifeline = lifeline
        self._tee = tee
        self._record = record
        self._began = time.monotonic()
        self._killed = False
        self._oom_before = oom_kills()
        self._pump = threading.Thread(target=self._feed, name="process-log", daemon=True)

    @classmethod
    def start(cls, spec: ContainerSpec, command: tuple[str, ...], interpreter: Path) -> GuardedProcess:
        """Start; raises RuntimeBlocked(entrypoint_not_executable), EnvironmentBlocked(workspace_unwritable | disk_full | container_create_failed)."""
        try:
            tee = LogTee(spec.log_path, spec.max_log_bytes, lines_per_s=WATCHED_LINES_PER_S)
        except OSError as error:
            raise not_written("the log cannot be written", error, cause="workspace_unwritable") from error
        network = "host" if network_isolation(interpreter) else "none"
        process = None
        try:
            with uninterrupted():
                process = cls._spawned(spec, command, interpreter, tee, network)
            process._begin()
        except BaseException:
            tee.end()
            if process is not None:
                process.remove()
            raise
        return process

    @classmethod
    def _spawned(
        cls, spec: ContainerSpec, command: tuple[str, ...], interpreter: Path, tee: LogTee, network: str
    ) -> GuardedProcess:
        try:
            home = Path(tempfile.mkdtemp(prefix=HOME_PREFIX))
        except OSError as error:
            raise not_written(
                "the job's scratch directory cannot be made", error, cause="container_create_failed"
            ) from error
        record = ProcessRecord(run_id=spec.run_id, owner=spec.owner, mark=uuid.uuid4().hex, home=str(home))
        read, write = os.pipe()
        try:
            record.write(spec.log_path.with_name(RECORD_NAME))
            guard = subprocess.Popen(
                [str(interpreter), "-I", "-S", str(_GUARD), str(read), network, "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**_environment(spec, home, interpreter), MARK_VARIABLE: record.mark},
                cwd=spec.workdir,
                start_new_session=True,
                pass_fds=(read,),
            )
        except OSError as error:
            os.close(write)
            shutil.rmtree(home, ignore_errors=True)
            raise not_written("the job cannot be started", error, cause="container_create_failed") from error
        finally:
            os.close(read)
        return cls(spec, guard, write, tee, record)

    def wait(self, on_line: LineSink) -> RunResult:
        """Watch it to its end; see `acceptance.runtimes.base.RunResult`."""
        spec = self._spec
        return watch(self, self._tee, on_line, began=self._began, deadline_s=spec.deadline_s, grace_s=spec.grace_s)

    def remove(self) -> None:
        """SIGTERM and its grace if it still runs, then SIGKILL to all that is left of it; what survives is left to the next start's reap."""
        with uninterrupted():
            self._tee.unwatch()
            if self.terminate():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._guard.wait(self._spec.grace_s)
            self.kill()
            if self._pump.ident is not None:
                self._pump.join(_END_S)
            self._tee.end()
            # A job may have killed or stopped its guard: then the mark finds what the guard no longer can.
            if self._record.end_members():
                shutil.rmtree(self._record.home, ignore_errors=True)
                with contextlib.suppress(OSError):
                    self._spec.log_path.with_name(RECORD_NAME).unlink()

    # --- acceptance.runtimes.supervision.Job ----------------------------------------------------------------------------

    def poll(self) -> Exit | None:
        returned = self._guard.poll()
        if returned is None:
            return None
        code = returned if returned >= 0 else 128 - returned
        oom = code == _SIGKILLED and not self._killed and oom_kills() > self._oom_before
        return Exit(
            code=code,
            oom_killed=oom,
            started=not (code in (CANNOT_EXECUTE, NOT_FOUND) and _is_complaint(self._tee.head())),
        )

    def terminate(self) -> bool:
        if self._guard.poll() is not None:
            return False
        self._guard.send_signal(signal.SIGTERM)
        return True

    def kill(self) -> None:
        """Close the lifeline: the guard kills the job and its descendants; a guard that cannot is killed with its group."""
        if self._lifeline >= 0:
            self._killed = self._guard.poll() is None
            os.close(self._lifeline)
            self._lifeline = -1
        try:
            self._guard.wait(_END_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._guard.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.wait(_END_S)

    # --------------------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._pump.start()
        ended = settle(self, self._tee, _is_complaint)
        if ended is not None and not ended.started:
            said = " ".join(self._tee.head()[:1])
            raise RuntimeBlocked(
                f"the entrypoint cannot be executed: {said}", cause="entrypoint_not_executable", exit_code=ended.code
            )

    def _feed(self) -> None:
        stream = self._guard.stdout
        try:
            while stream is not None and (data := os.read(stream.fileno(), _READ_BYTES)):
                self._tee.feed(data)
        finally:
            self._tee.end()
            if stream is not None:
                stream.close()


def _is_complaint(first_lines: Sequence[str]) -> bool:
    """Whether the guard says that it could not execute the entrypoint."""
    return any(line.startswith("exec ") and " failed: " in line for line in first_lines[:1])


def _environment(spec: ContainerSpec, home: Path, interpreter: Path) -> dict[str, str]:
    """Only what the contract gives, and what a process needs to be one."""
    return {
        "PATH": _PATH,
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(home),
        "VOICE_PYTHON": str(interpreter),
        "RUN_ID": spec.run_id,
        **spec.env,
    }
