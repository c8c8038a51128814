"""The pytest plugin of the phases: hooks only. It starts a run when steps are selected, turns results into events, prints the report last.

`acceptance.session.entry` loads it where the phases are meant.

The hooks of a run live in `RunHooks`, which is registered only when a step has been collected: a session without steps sees nothing of it,
and one of guardrails alone is no run (`GuardrailHooks`).
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance import objective as settings_module
from acceptance import policy as policy_module
from acceptance.failure import HarnessError
from acceptance.report.junit import add_no_verdict
from acceptance.runtimes.signals import TerminationAsInterrupt, is_pytests_own_process, make_printable
from acceptance.session.absent_phases import missing_module, stand_in
from acceptance.session.asked import HOW_TO_RUN, asks_for_steps
from acceptance.session.entry import SIGNALS
from acceptance.session.guardrail_hooks import GuardrailHooks
from acceptance.session.key import needed_key, run_key, streams_key, unasked_key, workspace_of
from acceptance.session.refused_options import refusal
from acceptance.session.selection import add_needed, asked_phases, phase_of, sort_steps, step_of
from acceptance.session.standard_streams import StandardStreams
from acceptance.steps import OPTIONAL, PRODUCTION_PHASE, STEP, is_guardrail

if TYPE_CHECKING:
    from acceptance.session.resuming import CarriedOver

_MISSING = missing_module()

# What the objective needs is imported where the objective can run.
_OBJECTIVE_FIXTURES = (
    "acceptance.session.objective_fixtures",
    "acceptance.session.production_fixtures",
    "acceptance.session.cycle_fixtures",
)
pytest_plugins = ("acceptance.session.guardrail_fixtures", *(_OBJECTIVE_FIXTURES if _MISSING is None else ()))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Guard the streams, and let signals end the session from now on."""
    _guard_streams(config)
    _signals(config).listen()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """An optional phase is collected only where it is asked for."""
    phase = phase_of(collection_path)
    return True if phase in OPTIONAL and phase not in asked_phases(config) else None


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A stand-in for a phase whose modules are missing here; None leaves the file to pytest."""
    return stand_in(module_path, parent) if _MISSING is not None else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """Around all other plugins: steps that nobody asked for are set aside."""
    yield
    steps = [item for item in items if step_of(item) is not None]
    if steps and not config.option.collectonly and not asks_for_steps(config):
        config.stash[unasked_key] = len(steps)
        items[:] = [item for item in items if step_of(item) is None]
        config.hook.pytest_deselected(items=steps)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """After all that selects and shuffles: add the steps that the selected ones need, and bring them into order."""
    needed = session.config.stash[needed_key] = (
        add_needed(session.items, asked_phases(session.config)) if _MISSING is None else []
    )
    sort_steps(session.items)
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if needed and terminal is not None:  # it counts them as deselected already
        selected = {item.nodeid for item in session.items}
        terminal.stats["deselected"] = [
            item for item in terminal.stats.get("deselected", []) if item.nodeid not in selected
        ]


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how the steps are run, where they were set aside."""
    if unasked_key in config.stash:
        terminalreporter.write_line(
            f"the {config.stash[unasked_key]} steps of the pipeline were not run, for nobody asked for them: {HOW_TO_RUN}"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Before the terminal shows where the interrupt came."""
    make_printable(excinfo)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Around the loop: start a run when a step is selected, and find an interrupt that was lost in it."""
    config = session.config
    steps = tuple(dict.fromkeys(step for step in map(step_of, session.items) if step is not None))
    if not steps or config.option.collectonly:
        return (yield)
    signals = _signals(config)
    if not signals.installed:
        signals.install()
    try:
        with signals.held():
            _begin(session, steps)
        ended = yield
        run = config.stash.get(run_key, None)
        if run is None or run.record.undecided() is not None:
            signals.check()
        return ended
    finally:
        # What follows ends in bounded time; and outside of the loop pytest does not expect to be interrupted.
        signals.hold()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A JUnit file of a session in which the steps were meant and none was run says that it is no success."""
    config = session.config
    judged = run_key in config.stash or config.pluginmanager.has_plugin("voice-acceptance-guardrails")
    others_ran = unasked_key in config.stash and session.exitstatus != pytest.ExitCode.NO_TESTS_COLLECTED
    if not judged and not config.option.collectonly and not others_ran:
        add_no_verdict(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the signals back where no run did."""
    if run_key not in config.stash:
        _signals(config).restore()


def _guard_streams(config: pytest.Config) -> None:
    """From here no trouble with standard output or error costs the session more than text."""
    streams = config.stash[streams_key] = StandardStreams()
    streams.guard()

    def end() -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with contextlib.suppress(OSError, ValueError):
            if capture is not None:
                capture.stop_global_capturing()
        streams.end(release=not is_pytests_own_process())

    config.add_cleanup(end)


def _signals(config: pytest.Config) -> TerminationAsInterrupt:
    signals: TerminationAsInterrupt = config.pluginmanager.getplugin(SIGNALS)
    return signals


def _begin(session: pytest.Session, steps: tuple[str, ...]) -> None:
    """Start a run, or a session of guardrails alone; usage errors surface here, before anything is touched."""
    config = session.config
    problem = refusal(config)
    if problem is not None:
        raise pytest.UsageError(problem)
    if hasattr(config, "workerinput"):
        raise pytest.UsageError("the phases cannot run in an xdist worker: run them without -n")
    unasked = next(
        (phase for step in steps if (phase := STEP[step].phase) in OPTIONAL.keys() - asked_phases(config)), ""
    )
    if unasked:
        option = "--production=PROMPTS" if unasked == PRODUCTION_PHASE else "--full-cycle"
        raise pytest.UsageError(f"{unasked} runs only when it is asked for: pytest acceptance -q {option}")
    if all(map(is_guardrail, steps)):
        try:
            workspace_of(config)
        except settings_module.SettingsError as error:
            raise pytest.UsageError(str(error)) from error
        config.pluginmanager.register(GuardrailHooks(), "voice-acceptance-guardrails")
        return
    if _MISSING is not None:
        raise pytest.UsageError(
            f"phases 1 to 5 cannot run with this Python: module {_MISSING} is missing (they need Linux and `make venv`); "
            "the guardrails can: pytest acceptance -k guardrails"
        )
    _start_run(session, steps)


def _start_run(session: pytest.Session, steps: tuple[str, ...]) -> None:
    from acceptance.record.workspace import WorkspaceBusy
    from acceptance.runtimes.docker import client
    from acceptance.session import spending
    from acceptance.session.hooks import RunHooks
    from acceptance.session.run_session import RunSession
    from trainer.wait_policy import wait_asleep

    wait_asleep()  # the harness measures with torch too
    gc.freeze()  # what was imported stays: no collection of this session looks at it again
    config = session.config
    overrides = [*config.option.overrides, *([f"runtime={config.option.runtime}"] if config.option.runtime else [])]
    try:
        settings, workspace = settings_module.load(config.option.objective, overrides=overrides), workspace_of(config)
        settings_module.check_folders(settings, workspace)
        policy = _policy(config)
        carried = _carried_over(config, settings, policy, workspace)
        run = RunSession.start(settings, policy, workspace, steps, config)
        if carried is not None:
            run.carry_over(carried)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    except (settings_module.SettingsError, policy_module.PolicyError, WorkspaceBusy) as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[run_key] = run
    if run.record.is_cycle:
        run.endings.enter_context(spending.tracked(run, "full cycle"))
    if session.testsfailed:
        run.internal_error(f"{session.testsfailed} modules could not be collected; pytest's own messages say why")
    config.pluginmanager.register(
        RunHooks(run, _signals(config), config.stash.get(streams_key, None)), "voice-acceptance-run"
    )
    client_warnings = () if settings.runtime == "process" else client.config().warnings
    for warning in (*settings_module.misspelt_variables(), *client_warnings):
        run.recorder.warn(warning)
        run.screen.line(f"  warning: {warning}")
    needed = config.stash.get(needed_key, [])
    if needed:
        run.screen.line(f"  selected too, because the selected steps need them: {', '.join(needed)}")


def _carried_over(
    config: pytest.Config, settings: settings_module.Settings, policy: policy_module.Policy, workspace: Path
) -> CarriedOver | None:
    """What an earlier run has shown, if this session is to go on with it; raises HarnessError."""
    if config.option.resume is None:
        return None
    from acceptance.session import facts, resuming

    return resuming.find(
        workspace, config.option.resume, settings, policy, facts.named_inputs(config), asked_phases(config)
    )


def _policy(config: pytest.Config) -> policy_module.Policy:
    given = config.option.policy
    return policy_module.load(None if given is None else config.invocation_params.dir / given, config.option.thresholds)
