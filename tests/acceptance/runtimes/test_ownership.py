"""Owners: one process, for ever."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from acceptance.runtimes.ownership import Liveness, current_owner, liveness, start_time


def owner_of(pid):
    boot, _, _, namespace = current_owner().split(":")
    return f"{boot}:{pid}:{start_time(pid)}:{namespace}"


def test_this_process_is_alive():
    assert liveness(current_owner()) is Liveness.ALIVE


def test_an_owner_without_a_namespace_is_judged_by_pid_and_start():
    assert liveness(current_owner().rpartition(":")[0]) is Liveness.ALIVE


def test_a_process_is_dead_from_its_kill_on_also_while_nobody_collected_it():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    owner = owner_of(child.pid)
    assert liveness(owner) is Liveness.ALIVE
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert liveness(owner) is Liveness.DEAD
    child.wait()
    assert liveness(owner) is Liveness.DEAD


def test_a_reused_pid_is_not_the_owner():
    boot, pid, start, namespace = current_owner().split(":")
    assert liveness(f"{boot}:{pid}:{int(start) - 1}:{namespace}") is Liveness.DEAD


def test_an_owner_of_another_boot_is_dead():
    assert liveness("some-other-boot:" + current_owner().partition(":")[2]) is Liveness.DEAD


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "::", "1:2:3:4:5", ":1:2", "boot:-1:2", "boot:1:²"])
def test_a_malformed_owner_is_never_called_dead(text):
    assert liveness(text) is Liveness.UNSEEN


def test_an_owner_in_another_pid_namespace_cannot_be_judged():
    assert liveness(current_owner().rpartition(":")[0] + ":1") is Liveness.UNSEEN
