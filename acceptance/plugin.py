"""The pytest plugin: hooks only. It starts a run when steps are selected, gates each step, turns results into events, prints the report last.

The hooks of a run live in `RunHooks`, which is registered only when a step has been collected: a session without steps sees nothing of it.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from acceptance import settings as settings_module
from acceptance.failure import Failure, action_for
from acceptance.failure_text import FailureText, as_failure
from acceptance.junit import add_interrupted_step, add_report_properties, add_step_properties
from acceptance.live import printable
from acceptance.run_session import RunSession
from acceptance.selection import sort_steps, step_of, targets_steps
from acceptance.signals import TerminationAsInterrupt
from acceptance.verdict import Outcome, StepResult, blocker_of, consequence_of
from acceptance.workspace import WorkspaceBusy

run_key = pytest.StashKey[RunSession]()

_BLOCKED_BY = "blocked by "

pytest_plugins = ("acceptance.fixtures",)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("voice-acceptance")
    group.addoption("--objective", default="auntie_dottie", help="name of an objective, or path of its TOML file (default: %(default)s)")
    group.addoption("--workspace", help="directory that holds the recording and receives the outputs (default: rootdir)")
    group.addoption("--runtime", choices=("docker", "process", "auto"), help="override the objective's runtime")
    group.addoption("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="override one key of the objective")


def pytest_configure(config: pytest.Config) -> None:
    spread = getattr(config.option, "dist", "no") != "no" or getattr(config.option, "tx", None)
    if spread and targets_steps(config.args, config.invocation_params.dir):
        raise pytest.UsageError("the phases are one pipeline in a fixed order and cannot be spread over processes: run them without -n")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Around all other plugins, so that what they shuffle comes back into order."""
    yield
    sort_steps(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Start a run when a step is selected; usage errors surface here, before anything is touched."""
    config = session.config
    steps = tuple(dict.fromkeys(step for step in map(step_of, session.items) if step is not None))
    if not steps or config.option.collectonly or getattr(config.option, "setupplan", False):
        return
    if hasattr(config, "workerinput"):
        raise pytest.UsageError("the phases cannot run in an xdist worker: run them without -n")
    overrides = [*config.option.overrides, *([f"runtime={config.option.runtime}"] if config.option.runtime else [])]
    try:
        settings = settings_module.load(config.option.objective, overrides=overrides)
        run = RunSession.start(settings, _workspace(config), steps, config)
    except (settings_module.SettingsError, WorkspaceBusy) as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[run_key] = run
    if session.testsfailed:
        run.internal_error(f"{session.testsfailed} modules could not be collected; pytest's own messages say why")
    config.pluginmanager.register(RunHooks(run), "voice-acceptance-run")


class RunHooks:
    """The hooks of one run."""

    def __init__(self, run: RunSession) -> None:
        self.run = run
        self.item: pytest.Item | None = None
        """The test of the step that began last."""
        self.signals = TerminationAsInterrupt()
        self.signals.install()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        step = step_of(item)
        if step is None:
            return
        self.item = item
        self.run.begin(step)
        blocker = blocker_of(step, self.run.record.results)
        if blocker is not None:
            self.run.finish(StepResult(step=step, outcome=Outcome.BLOCKED, blocked_by=blocker))
            pytest.skip(_BLOCKED_BY + blocker)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        step = step_of(item)
        if step is None:
            return report
        if report.skipped and isinstance(report.longrepr, tuple):
            # Where pytest.skip was called is a place of this machine; where the step is defined is not.
            report.longrepr = (report.location[0], (report.location[1] or 0) + 1, report.longrepr[2])
        if report.failed:
            self._fail(step, report, call)
        elif report.skipped and self.run.record.running == step:
            self.run.finish(StepResult(step=step, outcome=Outcome.SKIPPED))
        elif report.when == "call":
            self.run.finish(StepResult(step=step, outcome=Outcome.PASSED))
        add_step_properties(item, self.run.record, step)
        return report

    def _fail(self, step: str, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
        """Record a failure; a criterion that fails inside a fixture is the step's failure, so the report says call, not setup."""
        failure = as_failure(call.excinfo, step, str(report.longrepr))
        report.when = "call" if report.when == "setup" else report.when
        earlier = consequence_of(step, self.run.record.results)
        if earlier is None:
            report.longrepr = FailureText(failure, step=step, action=self._action(failure), location=report.location)
            self.run.finish(StepResult(step=step, outcome=Outcome.FAILED, failure=failure))
            return
        report.outcome = "skipped"
        path, line, _ = report.location
        report.longrepr = (path, line or 0, f"Skipped: {_BLOCKED_BY}{earlier} ({failure.cause}: {printable(failure.message)})")
        self.run.recorder.fact(f"consequence.{step}", {"cause": failure.cause, "message": failure.message})
        self.run.finish(StepResult(step=step, outcome=Outcome.BLOCKED, blocked_by=earlier))

    def _action(self, failure: Failure | None) -> str:
        return action_for(failure.cause, self.run.record.session["action_fields"]) if failure is not None else ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        if report.skipped and isinstance(report.longrepr, tuple) and _BLOCKED_BY + "phase_" in str(report.longrepr[2]):
            return "blocked", "b", "BLOCKED"
        return None

    def pytest_internalerror(self, excrepr: object) -> None:
        self.run.internal_error(str(excrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        self.signals.hold()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Around all that other plugins do at the end: judge first (exit status, JUnit properties), settle last."""
        undecided = self.run.record.undecided()
        try:
            self.signals.hold()
            session.exitstatus = self.run.judge(int(session.exitstatus))
            interrupted = self.run.record.verdict().results.get(undecided)
            if interrupted is not None and self.item is not None and step_of(self.item) == undecided:
                add_step_properties(self.item, self.run.record, undecided)
                add_interrupted_step(self.item, interrupted, self._action(interrupted.failure))
            add_report_properties(session.config, self.run.record)
            yield
        finally:
            self.run.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_unconfigure(self) -> Generator[None, None, None]:
        """Print after everybody else; settle here where pytest never came to sessionfinish."""
        try:
            self.run.judge(int(pytest.ExitCode.INTERNAL_ERROR))
            self.run.close()
            yield
        finally:
            self.run.print_report()
            self.signals.restore()


def _workspace(config: pytest.Config) -> Path:
    given = config.option.workspace
    path = config.rootpath if given is None else config.invocation_params.dir / given
    if not path.is_dir():
        raise settings_module.SettingsError(f"--workspace {given}: no such directory")
    return path.resolve()
