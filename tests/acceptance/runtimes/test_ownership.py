"""Owners: one process, for ever."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from acceptance.runtimes import ownership
from acceptance.runtimes.ownership import Liveness, current_owner, liveness, start_time


def owner_of(pid):
    machine, boot, _, _, namespace = current_owner().split(":")
    return f"{machine}:{boot}:{pid}:{start_time(pid)}:{namespace}"


def test_this_process_is_alive():
    assert liveness(current_owner()) is Liveness.ALIVE


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
    machine, boot, pid, start, namespace = current_owner().split(":")
    assert liveness(f"{machine}:{boot}:{pid}:{int(start) - 1}:{namespace}") is Liveness.DEAD


def test_an_owner_of_another_boot_of_this_machine_is_dead():
    machine, _, pid, start, namespace = current_owner().split(":")
    assert liveness(f"{machine}:some-other-boot:{pid}:{start}:{namespace}") is Liveness.DEAD


@pytest.mark.parametrize("boot", [None, "some-other-boot"])
def test_an_owner_on_another_machine_cannot_be_judged_whatever_its_boot(boot):
    _, own, pid, start, namespace = current_owner().split(":")
    assert liveness(f"another:{boot or own}:{pid}:{start}:{namespace}") is Liveness.UNSEEN


def test_an_owner_of_an_abandoned_run_is_dead_unless_it_is_seen_alive():
    _, _, rest = current_owner().partition(":")
    assert liveness(f"another:{rest}", abandoned=True) is Liveness.DEAD
    assert liveness("something else", abandoned=True) is Liveness.DEAD
    assert liveness(current_owner(), abandoned=True) is Liveness.ALIVE


@pytest.mark.parametrize("text", [None, "", "uninitialized\n"])
def test_a_machine_without_an_id_goes_by_its_host_name(tmp_path, monkeypatch, text):
    if text is not None:
        (tmp_path / "machine-id").write_text(text)
    monkeypatch.setattr(ownership, "_MACHINE_ID", tmp_path / "machine-id")
    assert liveness(current_owner()) is Liveness.ALIVE
    owner = current_owner()
    monkeypatch.setattr(ownership.platform, "node", lambda: "another-host")
    assert liveness(owner) is Liveness.UNSEEN


def test_the_machines_id_itself_is_not_told():
    if not ownership._MACHINE_ID.is_file() or not ownership._MACHINE_ID.read_text().strip():
        pytest.skip("this machine has no id")
    assert ownership._MACHINE_ID.read_text().strip() not in current_owner()


@pytest.mark.parametrize(
    "text", ["", "x", "a:b:c", "::::", "1:2:3:4:5:6", "boot:1:2:3", "{m}:boot:-1:2:3", "{m}:boot:1:²:3", "{m}::1:2:3"]
)
def test_a_malformed_owner_is_never_called_dead(text):
    assert liveness(text.format(m=current_owner().partition(":")[0])) is Liveness.UNSEEN


def test_an_owner_in_another_pid_namespace_cannot_be_judged():
    assert liveness(current_owner().rpartition(":")[0] + ":1") is Liveness.UNSEEN
