"""One run, from the first selected step to the printed report."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from acceptance.costs import tracker
from acceptance.evidence import outputs
from acceptance.failure import HarnessError, StepFailure, is_full
from acceptance.objective import Settings
from acceptance.policy import Policy
from acceptance.record import workspace
from acceptance.record.journal import Journal
from acceptance.record.record import Recorder, RunRecord, finished, interruption
from acceptance.report import block, ci_summary, cycle_block, summary
from acceptance.runtimes import staging
from acceptance.runtimes.base import Runtime
from acceptance.session import records_in_git
from acceptance.session.facts import session_facts
from acceptance.session.resuming import CarriedOver
from acceptance.session.screen import Screen
from acceptance.session.standard_streams import StandardStreams
from acceptance.verdict import ObjectiveStatus, StepResult, after_a_signal, exit_status_of
from acceptance.voices.settling import keep_voices

_ENDED_BY_ITSELF = (0, 1)
_REASONS = {1: "the session ended inside the step", 2: "the session was interrupted", 3: "the harness failed"}


class RunSession:
    """Owns the run directory, the journal and the lock; knows nothing of what the steps check."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        root: Path,
        run_dir: Path,
        held: FileLock | None,
        recorder: Recorder,
        screen: Screen,
    ) -> None:
        self.settings, self.policy, self.workspace, self.run_dir = settings, policy, root, run_dir
        self.recorder, self.screen = recorder, screen
        self._held, self._began, self._closed, self._printed = held, 0.0, False, False
        self._exit_status: int | None = None
        self._committed = ""
        self.tracks_costs, self.commits_records = True, False
        self.endings = contextlib.ExitStack()
        """What must have ended before the outputs are settled, also where pytest does not come to a fixture's teardown."""

    @classmethod
    def start(
        cls, settings: Settings, policy: Policy, root: Path, steps: tuple[str, ...], config: pytest.Config
    ) -> RunSession:
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
        facts = session_facts(settings, policy, root, config)
        recorder.emit({"event": "session_started", "run_id": run_id, "selected": steps, **facts})
        run = cls(settings, policy, root, run_dir, held, recorder, Screen(config))
        run.tracks_costs, run.commits_records = not config.getoption("no_cost"), config.getoption("commit")
        for warning in (*policy.notices, *([problem] if problem is not None else [])):
            recorder.warn(warning)
        return run

    def carry_over(self, carried: CarriedOver) -> None:
        """Take what an earlier run has shown for this one's own; what that run left unsettled is settled first."""
        dead = self._unfinished()
        for position, (directory, record) in enumerate(dead):
            if directory == carried.directory:
                self._settle(directory, record.completed(), older=[run for run, _ in dead[:position]])
        self.recorder.emit(carried.event())
        self.screen.line(
            f"  goes on with run {carried.directory.name}: its recording, objective, policy and checkpoint are unchanged"
        )

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

    def clean_up_after_the_dead(self, engine: Runtime, other: Callable[[], Runtime]) -> None:
        """End what killed sessions left running in `engine` and, where it answers, in the `other` runtime; then settle their outputs.

        The newest run first: what it kept is what an older dead one left, so the oldest copies, the last good ones, win. A run whose job
        may still write, or that cannot be undone, waits for a later session, and so does every older one with an output in common.
        """
        dead = self._unfinished()
        ended, waiting = self._end_jobs(engine, other, dead), frozenset[str]()
        for position, (directory, record) in reversed(list(enumerate(dead))):
            staging.remove_leftovers(directory)
            paths = outputs.kept_paths(directory)
            if _runtime_of(record) not in ended or paths & waiting:
                waiting |= paths
                continue
            try:
                self._settle(directory, record.completed(), older=[run for run, _ in dead[:position]])
            except (OSError, ValueError) as error:
                waiting |= paths
                self._warn_of(f"what run {directory.name} left in the outputs could not be undone", error)

    def _unfinished(self) -> list[tuple[Path, RunRecord]]:
        """Runs to settle in this workspace, oldest first; none where the lock could not be taken, for then others may be alive."""
        return [] if self._held is None else workspace.unfinished_runs(self.workspace, besides=self.record.run_id)

    def _end_jobs(
        self, engine: Runtime, beside: Callable[[], Runtime], dead: Sequence[tuple[Path, RunRecord]]
    ) -> set[str]:
        """Reap; returns the names of the runtimes that did. A daemon that this run does not need is asked only for outputs to restore."""
        run_ids = frozenset(directory.name for directory, _ in dead)
        reaped, ended = engine.reap(run_ids), {engine.name}
        if engine.name != "process" or {_runtime_of(record) for run, record in dead if outputs.kept_paths(run)} - {
            engine.name
        }:
            other = beside()
            with contextlib.suppress(StepFailure):
                other.check_daemon()
                reaped += other.reap(run_ids)
                ended.add(other.name)
        if reaped:
            self.recorder.warn(f"removed what ended sessions left running: {', '.join(sorted(set(reaped)))}")
        return ended

    def judge(self, exit_status: int, *, interrupted: bool = False) -> int:
        """Settle what was left open and return the session's exit status: 0 only for success.

        A signal (`interrupted`) gives 2, except where every step was decided before it: then the result stands.
        """
        if self._exit_status is not None:
            return self._exit_status
        step, running = self.record.undecided(), self.record.running is not None
        if interrupted:
            exit_status = after_a_signal(self.record.whole_verdict(), decided=step is None)
        cut_short = exit_status not in _ENDED_BY_ITSELF and self.record.whole_verdict().failure is None
        if step is not None and (running or cut_short):
            failed = not interrupted and (exit_status == 3 or self.record.errors)
            reason = _REASONS.get(exit_status, f"the session was ended with exit status {exit_status}")
            result = interruption(step, reason, cause="internal_error" if failed else "interrupted")
            self.recorder.emit(finished(result, seconds=time.monotonic() - self._began if running else 0.0))
        self._exit_status = exit_status_of(self.record.whole_verdict(), pytests=exit_status)
        return self._exit_status

    @property
    def exit_status(self) -> int:
        """What `judge` said; 3 as long as it was not asked."""
        return 3 if self._exit_status is None else self._exit_status

    def close(self) -> None:
        """Keep or undo what the run wrote and write the reports; once, whatever fails on the way."""
        if self._closed:
            return
        self._closed = True
        try:
            self.endings.close()
            self._settle(self.run_dir, self.record, older=[run for run, _ in self._unfinished()])
        except Exception as error:  # whatever it is, the report below must be printed
            self._warn_of(
                f"the previous outputs could not be restored, they lie in {self.run_dir.name}/previous", error
            )
        self._note_cost()
        self.recorder.emit({"event": "session_finished", "exit_status": self._exit_status, "time": time.time()})
        if self.recorder.journal.failure is not None:
            self.recorder.warn(
                f"the journal is incomplete, so the report cannot be rebuilt from it: {self.recorder.journal.failure} (see df -h and df -i)"
            )
        self._write_reports()
        self._commit_records()
        self.recorder.journal.close()
        if self._held is not None:
            self._held.release()

    def _note_cost(self) -> None:
        """What a full cycle has cost, as the log says it."""
        if not (self.record.is_cycle and self.tracks_costs):
            return
        try:
            sessions = [one for one in tracker.read(self.workspace / tracker.LOG).sessions
                        if one.about.run == self.record.run_id]  # fmt: skip
        except HarnessError as error:
            self.recorder.warn(f"what the cycle cost is not known: {error}")
            return
        if not sessions:
            self.recorder.warn("what the cycle cost is not known: the cost log has no session of this run")
            return
        spent = {"micro": sum(one.cost for one in sessions), "ms": sum(one.paid_ms for one in sessions)}
        self.recorder.fact("cost", {**spent, "currency": self.policy.cost.currency})

    def _settle(self, run_dir: Path, record: RunRecord, *, older: Sequence[Path]) -> None:
        """Keep voice and outputs of a run that succeeded, so that no `older` run's copies can replace them; undo those of any other."""
        if record.voice_verdict().status is ObjectiveStatus.SUCCESS:
            paths = outputs.kept_paths(run_dir)
            for directory in older:
                self._retire(directory, paths)
            if keep_voices(self.workspace, run_dir, record, self.recorder.warn):
                outputs.accept(run_dir)
            else:
                self._retire(run_dir, paths)
            return
        names = outputs.reject(self.workspace, run_dir)
        place = f"{workspace.RUNS / run_dir.name / outputs.REJECTED}/"
        if names:
            self.recorder.warn(
                f"the previous {', '.join(names)} returned to its place; what the failed run wrote is in {place}"
            )
        elif (run_dir / outputs.REJECTED).exists():
            self.recorder.warn(
                f"only a run that ends in success leaves its files in their places: what this one wrote is in {place}"
            )

    def _retire(self, run_dir: Path, paths: frozenset[str]) -> None:
        try:
            outputs.retire(run_dir, paths)
        except OSError as error:
            self.recorder.warn(
                f"what run {run_dir.name} kept is out of date and could not be retired, delete its previous/: {error}"
            )

    def _warn_of(self, problem: str, error: Exception) -> None:
        """Say what could not be settled and what lets the next session do it."""
        folders = self.record.session["action_fields"]["output_dirs"]
        command = f"ls -la {folders}"
        if is_full(error):
            command = f"df -h {folders} && df -i {folders}"
        elif isinstance(error, PermissionError):
            command = f"chmod -R u+rwX {folders}"
        self.recorder.warn(f"{problem}: {error}; the next session tries again, after: {command}")

    def _write_reports(self) -> None:
        try:
            block.save(self.record, self.run_dir)
            cycle_block.save(self.record, self.run_dir)
        except Exception as error:
            self.recorder.warn(f"the report could not be written: {error}")
        try:
            from acceptance.report import run_page  # only here: a session without its libraries still has a report

            run_page.write(self.record, self.run_dir)
        except Exception as error:
            self.recorder.warn(f"the page {self.run_dir.name}/report.html could not be written: {_why(error)}")
        try:
            ci_summary.append(self.record, self.run_dir, os.environ)
        except Exception as error:
            self.recorder.warn(f"the summary for the CI system could not be written: {_why(error)}")

    def _commit_records(self) -> None:
        """Commit what the run has written down, where somebody asked for it; while the lock is held, and never at the report's cost."""
        if not self.commits_records:
            return
        paths = records_in_git.records_of(self.workspace, self.record.run_id, self.settings.name)
        message = f"Records of run {self.record.run_id} ({self.settings.name}): {self.record.whole_verdict().status}"
        outcome = records_in_git.commit_records(self.workspace, paths, message)
        self._committed = "\n".join(
            [
                f"records in git: {outcome.text()}",
                *(f"  left out: {path}: {why}" for path, why in outcome.left_out.items()),
            ]
        )

    def _picture(self) -> str:
        """The summary above the block; its failure must not cost the block."""
        try:
            parts = (summary.render(self.record, self.run_dir), self._committed)
            return "\n".join(filter(None, parts)) + "\n\n"
        except Exception as error:
            return f"the summary could not be rendered: {type(error).__name__}\n\n"

    def print_report(self, streams: StandardStreams | None = None) -> None:
        """Print the summary and the block, also on standard error where text to standard output was lost; once."""
        if self._printed:
            return
        self._printed = True
        blocks = (block.block(self.record), cycle_block.block(self.record))
        text = self._picture() + "\n\n".join(filter(None, blocks))
        try:
            with self.screen.uncaptured() as out:
                self.screen.line(text)
            lost = out is None or (streams is not None and streams.lost(out))
        except (OSError, ValueError, AttributeError):  # closed, full or no standard output at all
            lost = True
        if lost and sys.__stderr__ is not None:
            with contextlib.suppress(OSError, ValueError):
                print(text, file=sys.__stderr__, flush=True)


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _runtime_of(record: RunRecord) -> str:
    """Where a run's job ran; a run that does not say may have used a daemon."""
    return str(record.facts.get("runtime", {}).get("name", "docker"))
