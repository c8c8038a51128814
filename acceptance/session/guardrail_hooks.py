"""The hooks of a session of which only guardrails were selected: nothing is written, and the exit status is theirs, not the objective's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

import pytest

from acceptance.failure import action_for
from acceptance.report.failure_text import FailureText, as_failure, plain_traceback
from acceptance.session.command import session_command
from acceptance.session.selection import step_of
from acceptance.session.skips import locate_skip
from acceptance.verdict import Outcome, StepResult


class GuardrailHooks:
    """Shows findings instead of tracebacks, and says at the end that the objective was not judged."""

    def __init__(self) -> None:
        self.results: dict[str, Outcome] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        with plain_traceback(item.config, call):
            report = yield
        step = step_of(item)
        if step is None:
            return report
        locate_skip(report)
        result = None
        if report.failed:
            failure = as_failure(call.excinfo, step, str(report.longrepr))
            # What a guardrail meets in a fixture is its failure.
            report.when = "call" if report.when == "setup" else report.when
            action = action_for("guardrail_failed", {"run": session_command(item.config)})
            report.longrepr = FailureText(failure, step=step, action=action, location=report.location)
            result = StepResult(step=step, outcome=Outcome.FAILED, failure=failure)
        elif report.skipped or report.when == "call":
            result = StepResult(step=step, outcome=Outcome.SKIPPED if report.skipped else Outcome.PASSED)
        if result is not None:
            self.results[step] = max(result.outcome, self.results.get(step, Outcome.PASSED))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Where every guardrail was skipped nothing was checked, and pytest's status for nothing (5) says so."""
        if session.exitstatus == pytest.ExitCode.OK and Outcome.PASSED not in self.results.values():
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line of what holds, fails and was skipped."""
        count = Counter(self.results.values())
        terminalreporter.write_line(
            f"guardrails: {count[Outcome.PASSED]} hold, {count[Outcome.FAILED]} fail, {count[Outcome.SKIPPED]} skipped; "
            "the objective was not judged: pytest acceptance -q"
        )
