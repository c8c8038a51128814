"""The container's entry: the whole job from environment variables, with markers, progress lines, a status and an exit code.

Only the standard library and light modules of this package are imported at the top: a missing or broken package must become an exit
code and a cause, not a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from trainer.errors import RuntimeSetupError, TrainerError, TrainingError, from_import_error, memory_failure
from trainer.files.atomic_file import unwritable
from trainer.files.printable import masked
from trainer.job.contract import (
    INTERRUPTED,
    PREPARE_PREFIX,
    UNCLASSIFIED,
    ExitStatus,
    Marker,
    failure_line,
    progress_line,
    status_of_unknown,
)
from trainer.job.job_settings import Job, job_from_environment
from trainer.job.markers import MarkerLog
from trainer.job.status import StatusFile
from trainer.job.training_log import TrainingLog
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recognisers.choice import POCKETSPHINX, PREFIX, RecogniserChoice
from trainer.training.settings import from_environment

if TYPE_CHECKING:
    from trainer.backbones import Backbone
    from trainer.training.session import Task

OUTPUT_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def run(environ: Mapping[str, str], stdout: TextIO) -> int:
    """Run the job that `environ` describes; returns 0, 10, 20 or 30 and never raises for what can go wrong on a machine."""
    console = Console(stdout)
    try:
        job = job_from_environment(environ)
        prepare_settings = from_environment(PrepareSettings, PREPARE_PREFIX, environ)
        recogniser = from_environment(RecogniserChoice, PREFIX, environ)
    except TrainerError as error:
        return console.failure(error)
    container_run = ContainerRun(
        environ=environ,
        job=job,
        prepare_settings=prepare_settings,
        recogniser=recogniser.inside(job.workspace),
        console=console,
    )
    try:
        container_run.stop.install()
        container_run.go()
        return 0
    # The boundary: whatever happened becomes a cause, a status and an exit code.
    except BaseException as error:
        failure = classify(error, phase=container_run.phase)
        # The status enters a report that must not depend on where the workspace lies.
        failure.args = (str(failure).replace(f"{job.workspace}/", ""),)
        if failure.cause == UNCLASSIFIED:
            traceback.print_exc()
        container_run.record(failure)
        return console.failure(failure)


class Console:
    """Lines on stdout, flushed one by one."""

    def __init__(self, stdout: TextIO) -> None:
        self.stdout = stdout

    def line(self, text: str) -> None:
        """Free text."""
        self.stdout.write(text + "\n")
        self.stdout.flush()

    def failure(self, error: TrainerError) -> int:
        """The FAILURE line; returns the exit code."""
        # Whoever read stdout may be gone; the exit code and the status still count.
        with contextlib.suppress(OSError):
            self.line(failure_line(error.cause, one_line(error)))
        return error.exit_code


class PrepareLines:
    """A line of progress every few seconds while the recording is read."""

    def __init__(self, console: Console, *, interval_s: float = 5.0) -> None:
        self._console = console
        self._interval_s = interval_s
        self._last = time.monotonic()

    def report(self, what: str, done_s: float, total_s: float) -> None:
        """`what` has come to `done_s` of `total_s` seconds of the recording, or of so many utterances."""
        if time.monotonic() - self._last >= self._interval_s:
            self._last = time.monotonic()
            if what in ("match", "recognise", "compare"):
                self._console.line(f"{what}: {done_s:.0f} of {total_s:.0f} utterances")
            else:
                self._console.line(
                    f"{what}: {done_s:.0f} s of audio" + (f" of {total_s:.0f}" if total_s > done_s else "")
                )


class Stopped(BaseException):
    """A signal's request to end now. No Exception: what gives up on a damaged file must not take this for damage and go on without it."""


class StopSignal:
    """SIGTERM and SIGINT: `Stopped` while preparing, a request at the next step while training."""

    def __init__(self) -> None:
        self.requested = False
        self.deferred = False

    def install(self) -> None:
        """Take over both signals."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        already, self.requested = self.requested, True
        if not self.deferred and not already:
            raise Stopped(f"stopped by {signal.Signals(number).name}; run again")

    def check(self) -> None:
        """Raise `Stopped` where a signal came and its exception was lost, as it is in a finaliser."""
        if self.requested and not self.deferred:
            raise Stopped("stopped by a signal; run again")


@dataclass(slots=True, kw_only=True)
class ContainerRun:
    """The job's phases in order; `phase` is the last marker reached."""

    environ: Mapping[str, str]
    job: Job
    prepare_settings: PrepareSettings
    recogniser: RecogniserChoice
    console: Console
    phase: Marker | None = None
    stop: StopSignal = field(default_factory=StopSignal)
    status: StatusFile | None = None
    markers: MarkerLog | None = None
    backbone: Backbone | None = None
    material: Any = None
    warnings: list[str] = field(default_factory=list)

    def go(self) -> None:
        """Import, load the models, prepare the data, train, save; raises what `classify` understands."""
        self._open()
        self._import()
        self._load_models()
        self._prepare()
        outcome = self._train()
        self._save(outcome)

    def record(self, failure: TrainerError) -> None:
        """Write the failed status; a disk that refuses even that leaves the exit code and the FAILURE line."""
        if self.status is None:
            return
        try:
            self.status.failed(cause=failure.cause, message=one_line(failure))
        except (TrainerError, OSError, ValueError) as error:
            self.console.line(f"the status could not be written: {one_line(error)}")

    def _open(self) -> None:
        for path in (self.job.status, self.job.manifest, self.job.checkpoint):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise unwritable(path, error) from error
        try:
            self.markers = MarkerLog(self.job.markers, run_id=self.job.run_id, stdout=self.console.stdout)
        except OSError as error:
            raise unwritable(self.job.markers, error) from error
        self.status = StatusFile(self.job.status, run_id=self.job.run_id, seed=self.job.seed, threads=self.job.threads)
        self.status.running(force=True)

    def _import(self) -> None:
        try:
            import trainer.preparation.prepare
            import trainer.training.session  # noqa: F401 its packages are what `import_ok` promises
            from trainer import backbones

            self.backbone = backbones.create(self.environ, workspace=self.job.workspace)
        except (ImportError, OSError, ValueError, AttributeError) as error:
            raise from_import_error(error) from error
        self.status.running(force=True, steps_total=self.backbone.steps)
        self.reach(Marker.IMPORT_OK)

    def _load_models(self) -> None:
        from trainer.audio import speech_detection
        from trainer.training import determinism

        determinism.fix(self.job.threads)
        speech_detection.SpeechDetector()
        try:
            self.backbone.check()
            self.backbone.load()
            if self.backbone.transcripts and self.recogniser.settled().name != POCKETSPHINX:
                from trainer.preparation import recognisers

                recognisers.check(self.recogniser)
        except ImportError as error:
            raise from_import_error(error) from error
        self.reach(Marker.MODEL_OK)

    def _prepare(self) -> None:
        from trainer.preparation.prepare import prepare

        prepare(
            self.job.audio,
            self.job.manifest,
            self.prepare_settings,
            workspace=self.job.workspace,
            transcribe=self.backbone.transcripts,
            recogniser=self.recogniser,
            processes=self.job.threads,
            on_progress=PrepareLines(self.console).report,
            on_note=self._warn,
        )
        self.console.line(f"ARTIFACT {self.job.manifest}")
        # Before the marker: speech that is too little or not what its text says is the recording's matter, not the training's.
        self.material = self.backbone.gather(self._task())
        self.reach(Marker.DATA_OK)

    def _train(self) -> Any:
        return self.backbone.fit(self._task(), material=self.material)

    def _task(self) -> Task:
        from trainer.training.session import Task

        job = self.job
        return Task(
            manifest=job.manifest, seed=job.seed, threads=job.threads, state=job.state, listener=RunListener(run=self)
        )

    def _warn(self, text: str) -> None:
        """A line that a person should read even when all ends well: it enters the status too."""
        self.console.line(f"WARNING {text}")
        self.warnings.append(text)
        self.status.running(force=True, warnings=list(self.warnings))

    def _save(self, outcome: Any) -> None:
        from trainer.files import checkpoint
        from trainer.training import resume

        # The status vouches for the checkpoint, the marker for both; only then the way back is deleted.
        file_sha256 = checkpoint.save(self.job.checkpoint, outcome.document)
        self.console.line(f"ARTIFACT {self.job.checkpoint}")
        self.status.completed(
            loss=outcome.last_loss,
            step=self.backbone.steps,
            learning=outcome.learning,
            checkpoint_sha256=file_sha256,
            content_sha256=checkpoint.content_sha256(outcome.document),
            **outcome.facts,
        )
        self.console.line(f"ARTIFACT {self.job.status}")
        self.reach(Marker.SAVED)
        resume.clear(self.job.state)

    def reach(self, marker: Marker) -> None:
        """Write `marker` and remember it; raises TrainingError where the log cannot be written, Stopped where a signal came before."""
        self.stop.check()
        try:
            self.markers.reach(marker)
        except OSError as error:
            raise unwritable(self.job.markers, error) from error
        self.phase = marker


@dataclass(slots=True, kw_only=True)
class RunListener:
    """Turns what a session reports into markers, PROGRESS lines and status updates."""

    run: ContainerRun
    last_line: float = float("-inf")
    log: TrainingLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = TrainingLog(self.run.job.log, self.run.backbone.steps, self.note)

    def note(self, text: str) -> None:
        """A line on stdout."""
        self.run.console.line(text)

    def features_extracted(self, done: int, total: int) -> None:
        """A line now and then."""
        if done == total or time.monotonic() - self.last_line > 5.0:
            self.last_line = time.monotonic()
            self.note(f"features of {done} of {total} training utterances")

    def train_started(self, facts: dict[str, Any]) -> None:
        """The marker, and the facts in the status."""
        # From here on a signal waits for the end of the step, so that the state can be saved.
        self.run.stop.deferred = True
        self.run.reach(Marker.TRAIN_STARTED)
        self.run.status.running(force=True, **facts)

    def step(self, step: int, loss: float, stage: str = "") -> None:
        """PROGRESS for about every percent; the status at most once a second; every step in the training log."""
        self.log.step(step, loss, stage)
        total = self.run.backbone.steps
        if step == total or step == 1 or step % max(1, total // 100) == 0:
            self.run.console.line(progress_line(step, total, loss))
        self.run.status.running(step=step, loss=loss)

    def evaluated(self, learning: dict[str, Any]) -> None:
        """A line with the held-out loss."""
        (_, _, start), (step, _, heldout) = learning["history"][0], learning["history"][-1]
        whose = f" of the {learning['criterion']}" if "criterion" in learning else ""
        self.note(f"held-out loss{whose} {heldout:.6f} at step {step} (start {start:.6f})")
        self.run.status.running(force=True, learning=learning)
        self.log.evaluated(step, heldout, learning.get("criterion", ""))

    def failed(self, learning: dict[str, Any]) -> None:
        """The counts go into the failed status."""
        self.run.status.running(learning=learning)

    def stop_requested(self) -> bool:
        """Whether a signal came."""
        return self.run.stop.requested


def classify(error: BaseException, *, phase: Marker | None) -> TrainerError:
    """The TrainerError that an exception amounts to; anything unknown is of the stage that `phase` shows."""
    if isinstance(error, TrainerError):
        return error
    text = one_line(error)
    if (memory := memory_failure(error)) is not None:
        return memory
    if "can't start new thread" in text or "Resource temporarily unavailable" in text:
        return RuntimeSetupError(f"threads cannot be started: {text}", cause="threads_blocked")
    if isinstance(error, OSError) and error.errno in OUTPUT_ERRNOS:
        return unwritable(Path(error.filename or "an output"), error)
    if isinstance(error, Stopped):
        return TrainingError(text, cause=INTERRUPTED)
    if isinstance(error, KeyboardInterrupt):
        return TrainingError("stopped by SIGINT", cause=INTERRUPTED)
    kind = TrainingError if status_of_unknown(phase) is ExitStatus.TRAINING else RuntimeSetupError
    return kind(f"{type(error).__name__}: {text}", cause=UNCLASSIFIED)


def one_line(error: BaseException) -> str:
    """The message without line breaks or control characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return masked(text)[:500]
