"""Steps that were not selected and run in part all the same, because a selected step needs what their fixture makes.

Their time is their own, and a failure in them is theirs: the selected step is blocked by it. A pass is not claimed, for their tests do not run.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from acceptance.evidence.job import EndedJob
from acceptance.evidence.launch import Launch
from acceptance.failure import StepFailure, action_for
from acceptance.report.failure_text import as_failure
from acceptance.report.junit import failure_reports
from acceptance.session.run_session import RunSession
from acceptance.steps import ORDER, STEP
from acceptance.verdict import Outcome, StepResult, blocker_of, consequence_of

_P1, _P2, _P3, _P4 = "phase_1_preflight", "phase_2_build", "phase_3_readiness", "phase_4_artifacts"
STEP_OF_FIXTURE = {
    "source": f"{_P1}.audio_exists",
    "engine": f"{_P1}.docker_cli",
    "daemon": f"{_P1}.docker_daemon",
    "image": f"{_P2}.image_built",
    "launch": f"{_P3}.container_started",
    "training": f"{_P3}.train_report_emitted",
    "manifest": f"{_P4}.manifest_valid",
    "status": f"{_P4}.status_completed",
    "checkpoint": f"{_P4}.checkpoint_valid",
}
"""The step that asks for a fixture first in a whole run."""


def needed_phases(items: Sequence[pytest.Item], selected: Sequence[str]) -> list[str]:
    """The phases of which the selected steps need something that no selected step makes, in order."""
    steps = {STEP_OF_FIXTURE.get(name) for item in items for name in getattr(item, "fixturenames", ())} - {None, *selected}
    return list(dict.fromkeys(STEP[step].phase for step in sorted(steps, key=ORDER.__getitem__)))


class NeededSteps:
    """The hooks that see the fixtures of steps that were not selected."""

    def __init__(self, run: RunSession) -> None:
        self.run = run
        self.item: pytest.Item | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.item = item

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        step, outer = STEP_OF_FIXTURE.get(fixturedef.argname), self.run.record.running
        if step is None or outer is None or not self._is_missing(step):
            return (yield)
        self.run.begin(step)
        try:
            value = yield
        except (Exception, pytest.fail.Exception) as error:
            self._fail(step, error)
            raise
        else:
            self.run.leave(step)
            for unmet, error in _unmet(value):
                if self._is_missing(unmet):
                    self._fail(unmet, error)
                    break
            return value
        finally:
            if self.run.record.running is None:
                self.run.begin(outer)

    def _is_missing(self, step: str) -> bool:
        return step not in self.run.record.selected and not self.run.record.results_of(step)

    def _fail(self, step: str, error: BaseException) -> None:
        """Record the step's failure and report it to pytest as that of its test, so that JUnit and the summary name it."""
        earlier = blocker_of(step, self.run.record.results) or consequence_of(step, self.run.record.results)
        if earlier is not None:
            self.run.finish(StepResult(step=step, outcome=Outcome.BLOCKED, blocked_by=earlier))
            return
        excinfo = pytest.ExceptionInfo.from_exc_info((type(error), error, error.__traceback__))
        failure = as_failure(excinfo, step, "".join(traceback.format_exception(error)))
        result = StepResult(step=step, outcome=Outcome.FAILED, failure=failure)
        self.run.finish(result)
        if self.item is None:
            return
        self.item.session.testscollected += 1
        reports = failure_reports(self.item, result, action_for(failure.cause, self.run.record.session["action_fields"]))
        with self.run.screen.uncaptured():
            for report in reports:
                self.item.ihook.pytest_runtest_logreport(report=report)


def _unmet(value: object) -> list[tuple[str, StepFailure]]:
    """The criteria of phase 3 that a fixture's value shows to be unmet without raising."""
    if isinstance(value, Launch) and not value.probe.writable:
        return [(f"{_P3}.mount_writable", value.not_writable())]
    if isinstance(value, EndedJob) and not value.report_emitted:
        return [(f"{_P3}.train_report_emitted", value.failure())]
    return [(f"{_P3}.exit_clean", value.failure())] if isinstance(value, EndedJob) and not value.clean() else []
