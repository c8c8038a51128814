"""Termination signals end a session once; one that the parent ignores stays ignored."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Iterator

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.runtimes import signals
from acceptance.runtimes.signals import TerminationAsInterrupt


@pytest.fixture
def installed() -> Iterator[TerminationAsInterrupt]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    handler = TerminationAsInterrupt()
    handler.install()
    yield handler
    handler.restore()
    assert {number: signal.getsignal(number) for number in before} == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_interrupts_and_the_rest_of_the_burst_does_not(
    installed: TerminationAsInterrupt, number: signal.Signals
) -> None:
    with pytest.raises(KeyboardInterrupt, match=number.name):
        os.kill(os.getpid(), number)
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_later_signal_interrupts_again_unless_the_session_is_ending(
    installed: TerminationAsInterrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "_BURST_S", 0.0)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    installed.hold()
    os.kill(os.getpid(), signal.SIGTERM)


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    handler = TerminationAsInterrupt()
    try:
        handler.install()
        os.kill(os.getpid(), signal.SIGHUP)
    finally:
        handler.restore()
        assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN


def test_off_the_main_thread_nothing_is_installed() -> None:
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=TerminationAsInterrupt().install)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupt_inside_a_held_block_comes_at_its_end(installed: TerminationAsInterrupt) -> None:
    done = []

    def block() -> None:
        with signals.uninterrupted():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        block()
    assert done


@pytest.mark.parametrize(
    ("module", "inside", "call"),
    [
        ("acceptance.runtimes.choice", "docker", "module.choose('docker', **places)"),
        ("acceptance.runtimes.choice", "docker", "module.beside(module.choose('process', **places)[0], **places)"),
        ("acceptance.evidence.recording", "numpy", "module.decode(None, None)"),
        ("acceptance.session.live", "tqdm", "module._interval(1.0)"),
    ],
)  # fmt: skip
def test_no_signal_cuts_an_import_of_a_session_short(module: str, inside: str, call: str) -> None:
    """A half import leaves a module, or Python's own lock on it, that nobody mends."""
    code = f"""
import importlib, os, signal, sys
from pathlib import Path
from acceptance.runtimes.signals import TerminationAsInterrupt
module, places = importlib.import_module({module!r}), {{"project_root": Path(), "runs_root": Path()}}
seen = []
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {inside!r}:
            os.kill(os.getpid(), signal.SIGTERM)
            seen.append(name)
assert {inside!r} not in sys.modules
handler = TerminationAsInterrupt()
handler.install()
sys.meta_path.insert(0, Finder())
try:
    {call}
except KeyboardInterrupt:
    print("whole" if seen and {inside!r} in sys.modules else "cut short")
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert ended.stdout == "whole\n", ended.stderr


def test_an_interrupt_that_was_lost_is_raised_by_the_next_look(installed: TerminationAsInterrupt) -> None:
    signals.raise_if_interrupted()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGHUP)
    assert installed.requested is signal.SIGHUP
    with pytest.raises(KeyboardInterrupt):
        signals.raise_if_interrupted()
    installed.hold()
    signals.raise_if_interrupted()


def _between_two_lines() -> types.TracebackType:
    """The traceback of a place in Python that has no line."""

    def frame(manager: contextlib.AbstractContextManager[None]) -> types.FrameType:
        with manager:
            return sys._getframe()

    found = frame(contextlib.nullcontext())
    offset = next(start for start, _, line in frame.__code__.co_lines() if line is None)
    return types.TracebackType(None, found, offset, -1)


def test_an_interrupt_between_two_lines_can_be_printed_by_pytest() -> None:
    context = TypeError("while handling").with_traceback(_between_two_lines())
    error = KeyboardInterrupt("SIGTERM").with_traceback(_between_two_lines())
    error.__context__ = context
    excinfo = pytest.ExceptionInfo.from_exception(error)
    with pytest.raises(TypeError):
        excinfo.getrepr(funcargs=True)
    signals.make_printable(excinfo)
    assert "SIGTERM" in str(excinfo.getrepr(funcargs=True))


def test_an_interrupt_that_pytest_can_print_stays_as_it_is() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        raise KeyboardInterrupt("SIGINT")
    before = list(caught.traceback)
    signals.make_printable(caught)
    assert list(caught.traceback) == before
