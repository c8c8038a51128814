"""A container that the engine makes later than its caller waits, or while a signal comes, is removed all the same."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import pytest

from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes.docker import container
from acceptance.runtimes.docker.container import create_container
from acceptance.runtimes.docker.engine import DockerEngine
from acceptance.runtimes.docker.runtime import container_name
from acceptance.runtimes.engine_errors import EngineGone, EngineRefused


class LateEngine(DockerEngine):
    """The machine's engine behind an answer that is given up after a moment: the container comes all the same."""

    def create(self, name, config, host):
        self.has_answered = threading.Event()

        def make():
            # The engine may say that what it makes was removed meanwhile.
            with contextlib.suppress(EngineRefused):
                super(LateEngine, self).create(name, config, host)
            self.has_answered.set()

        threading.Timer(1.0, make).start()
        raise EngineGone("no answer", cause="docker_daemon_hung")


def test_a_container_that_comes_after_its_create_call_timed_out_is_removed(bench, monkeypatch):
    monkeypatch.setattr(container, "LATE_S", 120.0)  # a busy machine may take longer than a session would wait
    engine = LateEngine({"DOCKER_HOST": bench.host})
    with pytest.raises(EnvironmentBlocked, match="does not answer"):
        create_container(engine, bench.spec("sleep 30"), container_name(bench.run_id))
    assert engine.has_answered.wait(60)
    assert bench.containers() == []


class RefusingEngine(LateEngine):
    """It also refuses to remove what it has only begun to make, once."""

    refused = False

    def remove(self, container):
        if not self.refused:
            self.refused = True
            raise EngineRefused("removal of container is not possible while it is being made", status=409)
        super().remove(container)


def test_a_late_container_whose_removal_was_refused_once_is_removed(bench, monkeypatch):
    monkeypatch.setattr(container, "LATE_S", 120.0)
    engine = RefusingEngine({"DOCKER_HOST": bench.host})
    with pytest.raises(EnvironmentBlocked, match="does not answer"):
        create_container(engine, bench.spec("sleep 30"), container_name(bench.run_id))
    assert engine.refused and engine.has_answered.wait(60)
    assert bench.containers() == []


class SlowEngine(DockerEngine):
    """The machine's engine, which makes a container only a while after it was asked; Ctrl-C comes in between."""

    def create(self, name, config, host):
        made, self.is_made = [], threading.Event()

        def make():
            made.append(super(SlowEngine, self).create(name, config, host))
            self.is_made.set()

        threading.Timer(0.6, make).start()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        assert self.is_made.wait(10)
        return made[0]


def test_a_signal_during_the_create_call_leaves_no_container(bench):
    engine = SlowEngine({"DOCKER_HOST": bench.host})
    with pytest.raises(KeyboardInterrupt):
        create_container(engine, bench.spec("sleep 30"), container_name(bench.run_id))
    assert engine.is_made.wait(10)
    assert bench.containers() == []
