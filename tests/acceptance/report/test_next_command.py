"""Every action of every cause has a command that a button can copy."""

from __future__ import annotations

import pytest

from acceptance.causes import CAUSES
from acceptance.failure import action_for
from acceptance.report.next_command import next_command


@pytest.mark.parametrize("cause", CAUSES)
def test_the_action_of_a_cause_is_a_sentence_and_a_command(cause):
    fields = {
        "docker_endpoint": "unix:///var/run/docker.sock (the default)",
        "run": "pytest acceptance -q",
        "audio": "a.wav",
    }
    action = action_for(cause, fields)
    found = next_command(action)
    assert found.command
    assert found.command.strip() == found.command
    assert f"{found.sentence}: {found.command}" == action


def test_an_action_without_a_command_is_a_sentence():
    assert next_command("none").command == ""
