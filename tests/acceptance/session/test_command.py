"""The command that a report names again has what the session was asked for."""

from __future__ import annotations

from types import SimpleNamespace

from acceptance.session.command import session_command


def test_the_command_keeps_what_was_asked_about_costs_and_git() -> None:
    names = "workspace runtime policy texts production".split()
    option = dict.fromkeys(names) | {"pyargs": False, "objective": "auntie_dottie", "full_cycle": True}
    option |= {"thresholds": [], "overrides": [], "no_cost": True, "commit": True}
    found = session_command(SimpleNamespace(option=SimpleNamespace(**option)))
    assert found == "pytest acceptance -q --full-cycle --no-cost --commit"
