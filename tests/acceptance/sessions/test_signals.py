"""A signal ends a session at whatever moment it comes, also where Python or pytest would lose it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from acceptance.report import block
from tests.acceptance.harness import Session, collect
from tests.acceptance.sessions.conftest import Bench, is_running

HANG = {"VOICE_ENV__TINY_MODE": "hang"}

LOSING = """
import os, pytest, signal, weakref
class Thing: pass
@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    if fixturedef.argname == "{fixture}":
        thing = Thing()
        weakref.finalize(thing, os.kill, os.getpid(), signal.SIGINT)
        del thing
    return (yield)
"""
"""SIGINT inside a finaliser: Python prints the KeyboardInterrupt and goes on."""

TURNING = """
import os, pytest, signal
@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    if pyfuncitem.name == "test_image_built":
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException as error:
            raise RuntimeError("a library that turns everything into an error of its own") from error
    return (yield)
"""

IN_EVAL = """
def pytest_runtest_call(item):
    if item.name == "test_image_built":
        eval("__import__('os').kill(__import__('os').getpid(), 2) or [n for n in range(9)]")
"""
"""Python remembers an interrupt inside an eval, and ends itself by SIGINT at the very end."""

BETWEEN_LINES = """
import contextlib, pytest, sys, types
def frame(manager):
    with manager:
        return sys._getframe()
def interrupt():
    found = frame(contextlib.nullcontext())
    offset = next(start for start, _, line in frame.__code__.co_lines() if line is None)
    return KeyboardInterrupt("between two lines").with_traceback(types.TracebackType(None, found, offset, -1))
@pytest.hookimpl(tryfirst=True)
def {hook}:
    {condition}
    import os, signal
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        raise interrupt() from None
"""

LATE = """
import os, pytest, signal
@pytest.hookimpl({options})
def {hook}:
    {condition}os.kill(os.getpid(), signal.SIGTERM)
    yield
"""


def with_plugin(bench: Bench, directory: Path, source: str, *arguments: str) -> Session:
    (directory / "meddling.py").write_text(source)
    return bench.run("-q", "-p", "meddling", *arguments, env={"PYTHONPATH": str(directory)})


def assert_interrupted(session: Session, step: str) -> None:
    assert session.stdout.endswith(block.END + "\n"), session.stdout + session.stderr
    assert (session.returncode, session.decision) == (2, ("none", step, "interrupted")), session.stderr
    assert "training resumes from its last state: pytest acceptance" in session.block["next_unblock_action"]


@pytest.mark.parametrize(
    ("fixture", "step"),
    [("image", "phase_2_build.image_built"), ("source", "phase_1_preflight.audio_exists")],
)
def test_an_interrupt_that_python_swallows_in_a_finaliser_ends_the_session(
    bench: Bench, tmp_path: Path, fixture: str, step: str
) -> None:
    before = bench.plant_outputs()
    assert_interrupted(with_plugin(bench, tmp_path, LOSING.replace("{fixture}", fixture)), step)
    assert bench.outputs() == before


def test_an_interrupt_inside_an_eval_ends_with_2(bench: Bench, tmp_path: Path) -> None:
    assert_interrupted(with_plugin(bench, tmp_path, IN_EVAL), "phase_2_build.image_built")


def test_an_interrupt_inside_an_eval_before_the_run_ends_with_2(bench: Bench, tmp_path: Path) -> None:
    at_collection = IN_EVAL.replace("runtest_call(item)", "collection_modifyitems(items)").replace(
        'if item.name == "test_image_built":', "if items:"
    )
    session = with_plugin(bench, tmp_path, at_collection)
    assert session.returncode == 2, session.stdout + session.stderr


def test_a_step_that_fails_because_of_the_interrupt_is_interrupted_not_failed(bench: Bench, tmp_path: Path) -> None:
    assert_interrupted(with_plugin(bench, tmp_path, TURNING), "phase_2_build.image_built")


@pytest.mark.parametrize(
    ("hook", "condition"),
    [
        ("pytest_runtest_call(item)", "if item.name != 'test_image_built': return"),
        ("pytest_collection_modifyitems(items)", "pass"),
    ],
)
def test_an_interrupt_between_two_lines_of_python_is_no_type_error(
    bench: Bench, tmp_path: Path, hook: str, condition: str
) -> None:
    session = with_plugin(bench, tmp_path, BETWEEN_LINES.replace("{hook}", hook).replace("{condition}", condition))
    assert session.returncode == 2, session.stdout + session.stderr
    assert "TypeError" not in session.stdout + session.stderr
    if session.run_dir is not None:
        assert_interrupted(session, "phase_2_build.image_built")


@pytest.mark.parametrize(
    ("options", "hook", "condition"),
    [
        ("wrapper=True", "pytest_fixture_post_finalizer(fixturedef)", "if fixturedef.argname == 'run': "),
        (
            "",
            "pytest_configure(config)",
            "config.add_cleanup(lambda: os.kill(os.getpid(), signal.SIGINT)); return\n    ",
        ),
    ],
)
def test_a_signal_after_the_last_step_leaves_the_true_result(
    bench: Bench, tmp_path: Path, options: str, hook: str, condition: str
) -> None:
    source = LATE.replace("{options}", options).replace("{hook}", hook).replace("{condition}", condition)
    session = with_plugin(bench, tmp_path, source)
    assert (session.returncode, session.block["objective_status"]) == (0, "success"), session.stdout + session.stderr


def test_a_signal_during_the_collection_ends_with_2_and_touches_nothing(bench: Bench, tmp_path: Path) -> None:
    source = (
        LATE.replace("{options}", "wrapper=True").replace("{hook}", "pytest_collection()").replace("{condition}", "")
    )
    session = with_plugin(bench, tmp_path, source)
    assert (session.returncode, session.block) == (2, {})
    assert not (bench.workspace / "artifacts").exists()


def test_a_teardown_that_fails_after_an_interrupt_changes_neither_status_nor_removal(
    bench: Bench, tmp_path: Path
) -> None:
    before = bench.plant_outputs()
    (tmp_path / "meddling.py").write_text("def pytest_sessionfinish():\n    raise TypeError('not mine')\n")
    process = bench.start("-q", "-p", "meddling", env={**HANG, "PYTHONPATH": str(tmp_path)})
    job = bench.running_job(process)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    session = collect(process)
    assert_interrupted(session, "phase_3_readiness.train_report_emitted")
    assert "not mine" in session.report["errors"][0]
    assert not is_running(job)
    assert bench.outputs() == before
