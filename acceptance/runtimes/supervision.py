"""Watching a job to its end: lines out, exit noticed, deadline enforced, a vanished engine recognised. Used by both runtimes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from acceptance.runtimes.base import LineSink, RunResult
from acceptance.runtimes.engine_errors import EngineGone
from acceptance.runtimes.signals import raise_if_interrupted
from acceptance.runtimes.stream import GuardedSink, LogTee

POLL_S = 0.5
"""The end of the stream is seen at once; this is how often a job that closed its stream early is looked at."""
ENGINE_LOST_AFTER_S = 15.0
"""An engine may restart (with live-restore the job goes on); this long without an answer it counts as lost."""
KILL_PATIENCE_S = 30.0
"""A job that SIGKILL does not end within this time cannot be ended from here."""
SETTLE_S = 2.0
"""For so long an entrypoint that cannot be executed is waited for, also on a loaded machine, unless the job says something before."""
_LOOK_S = 0.02
_ENDING_S = 2.0
"""For so long after the stream's end the exit is expected at any moment."""
_DRAIN_S = 60.0
_DRAIN_IDLE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a job ended, from the engine's or the kernel's own state."""

    code: int | None
    oom_killed: bool = False
    started: bool = True


class Job(Protocol):
    """A running job; each method raises EngineGone while the engine does not answer."""

    def poll(self) -> Exit | None:
        """How it ended; None while it runs."""

    def terminate(self) -> bool:
        """Ask it to end (SIGTERM); False when it had ended already."""

    def kill(self) -> None:
        """End it at once (SIGKILL); nothing where it had ended already."""


def settle(job: Job, tee: LogTee, is_complaint: Callable[[Sequence[str]], bool]) -> Exit | None:
    """How a job ended that ends at once; None where it runs on, which its first line tells unless that is the init's complaint."""
    give_up = time.monotonic() + SETTLE_S
    while time.monotonic() < give_up:
        if tee.ended.wait(_LOOK_S):
            if (ended := job.poll()) is not None:
                return ended
            time.sleep(_LOOK_S)
        elif (first := tee.head()[:1]) and not is_complaint(first):
            break
    return None


class _Patience:
    """The deadline's three steps - wait, SIGTERM, SIGKILL - on the monotonic clock."""

    def __init__(self, deadline: float, grace_s: float) -> None:
        self._grace_s = grace_s
        self._next = deadline
        self._step = 0
        self.exceeded = False

    def enforce(self, job: Job) -> bool:
        """Do the step that is due (again, when the engine did not answer); False when nothing more can be done."""
        now = time.monotonic()
        if now < self._next:
            return True
        if self._step == 2:
            return False
        if self._step == 0:
            self.exceeded = job.terminate()
        else:
            job.kill()
        self._step += 1
        self._next = now + (self._grace_s if self._step == 1 else KILL_PATIENCE_S)
        return True


def watch(job: Job, tee: LogTee, on_line: LineSink, *, began: float, deadline_s: float, grace_s: float) -> RunResult:
    """Supervise a job that began at `began` (monotonic) to its end, and tell how that was."""
    patience = _Patience(began + deadline_s, grace_s)
    ended = _end(job, tee, GuardedSink(on_line), patience)
    return RunResult(
        exit_code=None if ended is None else ended.code,
        started=ended is None or ended.started,
        oom_killed=ended is not None and ended.oom_killed,
        deadline_exceeded=patience.exceeded,
        engine_lost=ended is None,
        seconds=time.monotonic() - began,
        log_path=tee.path,
        tail=tee.tail(),
        log_error=None if tee.write_error is None else tee.write_error.strerror or str(tee.write_error),
    )


def _end(job: Job, tee: LogTee, on_line: LineSink, patience: _Patience) -> Exit | None:
    """Deliver the job's lines until it has ended and its stream is drained; None if it cannot be ended or its engine is lost."""
    lost_since: float | None = None
    next_poll = ended_at = math.inf
    try:
        while True:
            raise_if_interrupted()
            tee.deliver(on_line, 0.05)
            now = time.monotonic()
            if tee.ended.is_set() and ended_at == math.inf:
                next_poll = ended_at = now
            if now < next_poll < math.inf:
                continue
            try:
                ended = job.poll()
                if ended is not None:
                    _drain(tee, on_line)
                    return ended
                if not patience.enforce(job):
                    return None
                lost_since = None
            except EngineGone:
                lost_since = now if lost_since is None else lost_since
                if time.monotonic() - lost_since > ENGINE_LOST_AFTER_S:
                    return None
            next_poll = time.monotonic() + (POLL_S if now - ended_at > _ENDING_S or ended_at == math.inf else 0.0)
    finally:
        tee.unwatch()


def _drain(tee: LogTee, on_line: LineSink) -> None:
    """Deliver the rest of an ended job's stream: until its end, 5 s without a byte, or 60 s."""
    give_up = time.monotonic() + _DRAIN_S
    seen, idle_since = tee.bytes_seen, time.monotonic()
    while time.monotonic() < give_up:
        raise_if_interrupted()
        if tee.deliver(on_line, 0.05):
            continue
        if tee.ended.is_set():
            return
        if tee.bytes_seen != seen:
            seen, idle_since = tee.bytes_seen, time.monotonic()
        elif time.monotonic() - idle_since > _DRAIN_IDLE_S:
            return
