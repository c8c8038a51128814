"""One run, from the first selected step to the printed report."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from filelock import FileLock

from acceptance import outputs, report, summary, workspace
from acceptance.journal import Journal
from acceptance.record import Recorder, RunRecord, finished, interruption
from acceptance.screen import Screen
from acceptance.settings import Settings
from acceptance.verdict import ObjectiveStatus, StepResult

_ABSOLUTE = re.compile(r"(?:^|[\s=:,\"'])/")
_ENDED_BY_ITSELF = (0, 1)
_REASONS = {1: "the session ended inside the step", 2: "the session was interrupted", 3: "the harness failed"}


class RunSession:
    """Owns the run directory, the journal and the lock; knows nothing of what the steps check."""

    def __init__(
        self, settings: Settings, root: Path, run_dir: Path, held: FileLock | None, recorder: Recorder, screen: Screen
    ) -> None:
        self.settings, self.workspace, self.run_dir = settings, root, run_dir
        self.recorder, self.screen = recorder, screen
        self._held, self._began, self._closed, self._printed = held, 0.0, False, False
        self._exit_status: int | None = None

    @classmethod
    def start(cls, settings: Settings, root: Path, steps: tuple[str, ...], config: pytest.Config) -> RunSession:
        """Lock the workspace, clean up after sessions that were killed, open the journal; raises WorkspaceBusy.

        Where the workspace cannot be written, the run goes on in a temporary directory, so that its report says so.
        """
        run_id, problem, held = workspace.new_run_id(), None, None
        try:
            held = workspace.lock(root)
            run_dir = workspace.make_run_dir(root, run_id)
        except OSError as error:
            problem = f"the run's directory is temporary, for the workspace cannot be written: {error.strerror}"
            run_dir = workspace.fallback_run_dir()
        recorder = Recorder(Journal(run_dir / workspace.JOURNAL))
        recorder.emit({"event": "session_started", "run_id": run_id, "selected": steps, **_session_facts(settings, root, config)})
        run = cls(settings, root, run_dir, held, recorder, Screen(config))
        if problem is not None:
            recorder.warn(problem)
        return run

    @property
    def record(self) -> RunRecord:
        """What is known so far."""
        return self.recorder.record

    def begin(self, step: str) -> None:
        """A step starts."""
        self._began = time.monotonic()
        self.recorder.emit({"event": "step_started", "step": step})

    def finish(self, result: StepResult) -> None:
        """A step is decided."""
        self.recorder.emit(finished(result, seconds=time.monotonic() - self._began))

    def internal_error(self, representation: str) -> None:
        """Keep the traceback of a failure of the harness or of pytest itself."""
        self.recorder.emit({"event": "error", "message": representation})

    def clean_up_after_the_dead(self, runtime: str) -> None:
        """Restore the outputs that killed sessions left behind; only after `runtime` has reaped their jobs, which may still write."""
        if self._held is None:
            return
        for directory, record in workspace.unfinished_runs(self.workspace, besides=self.record.run_id):
            if record.facts.get("runtime", {}).get("name") == runtime:
                with contextlib.suppress(OSError, ValueError):
                    self._settle(directory, record.completed())

    def judge(self, exit_status: int) -> int:
        """Settle what an interruption left open and return the session's exit status: 0 only for success."""
        if self._exit_status is not None:
            return self._exit_status
        step, running = self.record.undecided(), self.record.running is not None
        cut_short = exit_status not in _ENDED_BY_ITSELF and self.record.verdict().failure is None
        if step is not None and (running or cut_short):
            cause = "internal_error" if exit_status == 3 or self.record.errors else "interrupted"
            reason = _REASONS.get(exit_status, f"the session was ended with exit status {exit_status}")
            result = interruption(step, reason, cause=cause)
            self.recorder.emit(finished(result, seconds=time.monotonic() - self._began if running else 0.0))
        if exit_status == 0 and self.record.verdict().status is not ObjectiveStatus.SUCCESS:
            exit_status = 1
        self._exit_status = exit_status
        return exit_status

    def close(self) -> None:
        """Keep or undo what the run wrote and write the reports; once, whatever fails on the way."""
        if self._closed:
            return
        self._closed = True
        try:
            self._settle(self.run_dir, self.record)
        except Exception as error:  # whatever it is, the report below must be printed
            self.recorder.warn(f"the previous outputs could not be restored, they lie in {self.run_dir.name}/previous: {error}")
        self.recorder.emit({"event": "session_finished", "exit_status": self._exit_status, "time": time.time()})
        self._write_reports()
        self.recorder.journal.close()
        if self._held is not None:
            self._held.release()

    def _settle(self, run_dir: Path, record: RunRecord) -> None:
        """Accept the outputs of a run that succeeded, undo those of any other."""
        if record.verdict().status is ObjectiveStatus.SUCCESS:
            outputs.accept(run_dir)
            return
        names = outputs.reject(self.workspace, run_dir)
        if names:
            self.recorder.warn(f"the previous {', '.join(names)} returned to its place; what the failed run wrote is in rejected/")

    def _write_reports(self) -> None:
        try:
            report.save(self.record, self.run_dir)
        except Exception as error:
            self.recorder.warn(f"the report could not be written: {error}")

    def print_report(self) -> None:
        """Print the summary and the block, on standard error where standard output cannot be written; once."""
        if self._printed:
            return
        self._printed = True
        text = summary.render(self.record, self.run_dir) + "\n\n" + report.block(self.record)
        try:
            self.screen.line(text)
        except (OSError, ValueError, AttributeError):  # closed, full or no standard output at all
            with contextlib.suppress(OSError, ValueError, AttributeError):
                sys.__stderr__.write(text + "\n")


def _session_facts(settings: Settings, root: Path, config: pytest.Config) -> dict[str, object]:
    run_all, context = _command(config), settings.context or "."
    if Path(context).is_absolute():
        context = os.path.relpath(context, config.invocation_params.dir)
    return {
        "objective": settings.name,
        "settings": asdict(settings),
        "workspace": str(root),
        "arguments": list(config.invocation_params.args),
        "time": time.time(),
        "host": {"system": platform.platform(), "python": platform.python_version(), "processors": os.cpu_count()},
        "action_fields": {
            "run": run_all,
            "run_all": run_all,
            "audio": shlex.quote(settings.audio),
            "status": shlex.quote(f"artifacts/latest/{outputs.REJECTED}/{Path(settings.status).name}"),
            "output_dirs": shlex.join(settings.output_dirs()),
            "dockerfile": shlex.quote(os.path.normpath(Path(context, settings.dockerfile))),
            "context": shlex.quote(context),
            "min_audio_bytes": str(settings.min_audio_bytes),
            "max_audio_hours": f"{settings.max_audio_hours:g}",
            "prepare_dir": "artifacts/prepare",
        },
    }


def _command(config: pytest.Config) -> str:
    """The command that runs the same objective again, whole; absolute paths stay out of it, for the report names none."""
    words, option = ["pytest", "acceptance", "-q"], config.option
    if option.objective != "auntie_dottie":
        path = Path(option.objective)
        words += ["--objective", path.name if path.is_absolute() else option.objective]
    if option.workspace is not None and not Path(option.workspace).is_absolute():
        words += ["--workspace", option.workspace]
    if option.runtime is not None:
        words += ["--runtime", option.runtime]
    for text in option.overrides:
        words += () if _ABSOLUTE.search(text) else ("--set", text)
    return shlex.join(words)
