"""Termination signals end a session once; one that the parent ignores stays ignored."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from acceptance import signals
from acceptance.signals import TerminationAsInterrupt


@pytest.fixture
def installed() -> Iterator[TerminationAsInterrupt]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    handler = TerminationAsInterrupt()
    handler.install()
    yield handler
    handler.restore()
    assert {number: signal.getsignal(number) for number in before} == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_interrupts_and_the_rest_of_the_burst_does_not(installed: TerminationAsInterrupt, number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt, match=number.name):
        os.kill(os.getpid(), number)
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_later_signal_interrupts_again_unless_the_session_is_ending(installed: TerminationAsInterrupt, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_an_interrupt_that_was_lost_is_raised_by_the_next_look(installed: TerminationAsInterrupt) -> None:
    signals.raise_if_interrupted()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGHUP)
    assert installed.requested is signal.SIGHUP
    with pytest.raises(KeyboardInterrupt):
        signals.raise_if_interrupted()
    installed.hold()
    signals.raise_if_interrupted()
