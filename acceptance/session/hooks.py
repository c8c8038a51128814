"""The hooks of one run: they gate each step, turn results into events, judge at the end and print the report last."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Generator, Iterator

import pytest

from acceptance.failure import Failure, action_for
from acceptance.report.failure_text import FailureText, as_failure, plain_traceback
from acceptance.report.junit import add_to_file, add_verdict
from acceptance.runtimes.signals import TerminationAsInterrupt
from acceptance.session.run_session import RunSession
from acceptance.session.selection import step_of
from acceptance.session.skips import SKIPPED, locate_skip, skip_instead
from acceptance.session.standard_streams import StandardStreams
from acceptance.steps import FULL_CYCLE, STEP, is_guardrail
from acceptance.verdict import Outcome, StepResult, blocker_of, consequence_of
from trainer.files.printable import printable

BLOCKED_BY = "blocked by "
ADVISORY = "advisory: "
CARRIED = "passed in run "
"""A step that this session takes over from an earlier one."""
MOST_FINDINGS = 20
"""So many findings of an advisory guardrail stand in the reason of its skip; report.json holds all."""


class RunHooks:
    """The hooks of one run."""

    def __init__(self, run: RunSession, signals: TerminationAsInterrupt, streams: StandardStreams | None) -> None:
        self.run, self.signals, self.streams = run, signals, streams
        self.item: pytest.Item | None = None
        """The test of the step that began last."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        step = step_of(item)
        if step is None:
            return
        self.signals.check()
        self.item = item
        if step in self.run.record.carried:
            pytest.skip(f"{CARRIED}{self.run.record.carried_from}")
        self.run.begin(step)
        blocker = blocker_of(step, self.run.record.results)
        if blocker is None and STEP[step].phase in FULL_CYCLE:  # a blocking guardrail takes the certificate away
            blocker = self.run.record.voice_verdict().first_failed_step
        if blocker is not None:
            self.run.finish(StepResult(step=step, outcome=Outcome.BLOCKED, blocked_by=blocker))
            pytest.skip(self._blocked_by(blocker))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self) -> Generator[None, object, object]:
        """Around each fixture, for an interrupt that was lost in what it called."""
        self.signals.check()
        value = yield
        self.signals.check()
        return value

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        with plain_traceback(item.config, call):
            report = yield
        step = step_of(item)
        if step is None:
            return report
        if self.run.record.running == step:
            self.signals.check()  # else a failure that the interrupt made would be told as the step's own
        reason = locate_skip(report)
        if report.failed:
            self._fail(step, report, call)
        elif report.skipped and self.run.record.running == step:
            self.run.recorder.fact(f"skipped.{step}", reason)
            self.run.finish(StepResult(step=step, outcome=Outcome.SKIPPED))
        elif report.when == "call":
            self.run.finish(StepResult(step=step, outcome=Outcome.PASSED))
        return report

    def _fail(self, step: str, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
        """Record a failure; a criterion that fails inside a fixture is the step's failure, so the report says call, not setup."""
        failure = as_failure(call.excinfo, step, str(report.longrepr))
        report.when = "call" if report.when == "setup" else report.when
        if is_guardrail(step) and step not in self.run.record.whole_verdict().blocking:
            self._advise(step, report, failure)
            return
        earlier = consequence_of(step, self.run.record.results)
        if earlier is None:
            report.longrepr = FailureText(failure, step=step, action=self._action(failure), location=report.location)
            self.run.finish(StepResult(step=step, outcome=Outcome.FAILED, failure=failure))
            return
        skip_instead(report, f"{self._blocked_by(earlier)}; here {failure.cause}: {printable(failure.message)}")
        self.run.recorder.fact(f"consequence.{step}", {"cause": failure.cause, "message": failure.message})
        self.run.finish(StepResult(step=step, outcome=Outcome.BLOCKED, blocked_by=earlier))

    def _blocked_by(self, step: str) -> str:
        """The reason of a blocked step: which step blocks it, and the class and cause of that."""
        failure = self.run.record.whole_verdict().results[step].failure
        return (
            f"{BLOCKED_BY}{step} ({failure.class_name}/{failure.cause})" if failure is not None else BLOCKED_BY + step
        )

    def _advise(self, step: str, report: pytest.TestReport, failure: Failure) -> None:
        """A guardrail that blocks nothing: said at once and reported, and for pytest a skip, because the session's status is the objective's."""
        message = printable(failure.message)
        findings = "; ".join(map(printable, failure.evidence.get("findings", "").splitlines()[:MOST_FINDINGS]))
        skip_instead(report, f"{ADVISORY}{failure.cause}: {message}" + (f" ({findings})" if findings else ""))
        self.run.finish(StepResult(step=step, outcome=Outcome.ADVISORY, failure=failure))
        self.run.screen.line(f"  guardrail {STEP[step].check} (advisory): {message}")

    def _action(self, failure: Failure | None) -> str:
        return action_for(failure.cause, self.run.record.session["action_fields"]) if failure is not None else ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        reason = str(report.longrepr[2]) if report.skipped and isinstance(report.longrepr, tuple) else ""
        if BLOCKED_BY + "phase_" in reason:
            return "blocked", "b", "BLOCKED"
        if reason.startswith(SKIPPED + CARRIED):
            return "carried over", "=", "CARRIED OVER"
        return ("advisory", "!", "ADVISORY") if reason.startswith(SKIPPED + ADVISORY) else None

    def pytest_internalerror(self, excrepr: object) -> None:
        """Keep the traceback for the report."""
        self.run.internal_error(str(excrepr))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Around all that other plugins do at the end: judge first (exit status, JUnit properties), settle last."""
        undecided = self.run.record.undecided()
        try:
            session.exitstatus = self.run.judge(int(session.exitstatus), interrupted=self.signals.requested is not None)
            interrupted = self.run.record.whole_verdict().results.get(undecided or "")
            if interrupted is not None and interrupted.failure is not None and self.item is not None:
                add_to_file(self.item, interrupted.step, interrupted.failure, self._action(interrupted.failure))
            add_verdict(session.config, self.run.record)
            with self._ending_shielded():
                yield
        finally:
            self.run.close()

    @contextlib.contextmanager
    def _ending_shielded(self) -> Iterator[None]:
        """What fails in others at the end of an interrupted session changes nothing of its exit status."""
        try:
            yield
        except BaseException as error:
            if self.signals.requested is None:
                raise
            self.run.internal_error("".join(traceback.format_exception(error)))
            self.run.recorder.warn(
                f"the end of the interrupted session failed in part: {type(error).__name__}: {error}"
            )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_unconfigure(self) -> Generator[None, None, None]:
        """Print after everybody else; settle here where pytest never came to sessionfinish."""
        try:
            self.run.judge(int(pytest.ExitCode.INTERNAL_ERROR), interrupted=self.signals.requested is not None)
            self.run.close()
            yield
        finally:
            self.run.print_report(self.streams)
            self.signals.over(self.run.exit_status)
