"""What pytest loads at its start: the options, and the plugin of the phases where a session would reach them.

The repository's conftest.py names it, and an installed package brings it as an entry point of the same name, so that it is registered once.
In other sessions it adds its options and nothing else.
"""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

if "--dry-run" in sys.argv:
    sys.dont_write_bytecode = True

from acceptance.runtimes.signals import TerminationAsInterrupt
from acceptance.session.asked import asks_for_steps, targets_steps
from acceptance.session.own_trainer import foreign_trainer
from acceptance.session.refused_options import unwritable_junit

SIGNALS = "voice-acceptance-signals"
"""Name under which the session's signal handlers are registered."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """The options that say what is judged, where, and by which thresholds; before what the phases need is imported."""
    signals = TerminationAsInterrupt()
    signals.install(holding=True)
    pluginmanager.register(signals, SIGNALS)
    group = parser.getgroup("voice-acceptance")
    group.addoption(
        "--objective",
        default="auntie_dottie",
        help="name of an objective, or path of its TOML file (default: %(default)s)",
    )
    group.addoption(
        "--workspace", help="directory that holds the recording and receives the outputs (default: rootdir)"
    )
    group.addoption("--runtime", choices=("docker", "process", "auto"), help="override the objective's runtime")
    group.addoption(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one key of the objective",
    )
    group.addoption("--policy", metavar="FILE", help="threshold policy (default: acceptance/thresholds.yaml)")
    group.addoption(
        "--threshold",
        dest="thresholds",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="override one threshold",
    )
    group.addoption(
        "--production",
        nargs="?",
        const="",
        metavar="PROMPTS",
        help="also produce with the voice and judge it (phase 7): a file of prompts, default the built-in ones; write --production=FILE",
    )
    group.addoption(
        "--full-cycle",
        action="store_true",
        help="also evaluate the voice (phase 6), compare it with the version in use, and promote it if it is better (phase 8)",
    )
    group.addoption(
        "--texts", metavar="FILE", help="sentences that a full cycle evaluates, one a line (default: the built-in ones)"
    )
    group.addoption(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="go on with the full cycle of an earlier run (default: the newest) at the phase that failed, without training again",
    )
    group.addoption(
        "--dry-run",
        action="store_true",
        help="only print every step with the command that does it by hand; nothing is touched",
    )
    group.addoption(
        "--commit",
        action="store_true",
        help="commit the records of the run in git when it ends: scores, costs, reports, registry",
    )
    group.addoption(
        "--no-cost", action="store_true", help="keep no account of training and production, and ask no budget"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin of the phases where they are meant; raises UsageError where they could not run or their JUnit file would be lost."""
    if not targets_steps(config):
        signals: TerminationAsInterrupt = config.pluginmanager.getplugin(SIGNALS)
        signals.give_back()
        return
    # pytest-order registers it too; the phases keep their order without that plugin.
    config.addinivalue_line("markers", "order(n): the phase's place among the others")
    if getattr(config.option, "dist", "no") != "no" or getattr(config.option, "tx", None):
        raise pytest.UsageError(
            "the phases are one pipeline in a fixed order and cannot be spread over processes: run them without -n"
        )
    problem = foreign_trainer() or unwritable_junit(config)
    if problem is not None:
        raise pytest.UsageError(problem)
    config.pluginmanager.import_plugin("acceptance.session.plugin")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer a dry run, and refuse what takes the session over before it is configured; raises UsageError."""
    if getattr(config.option, "looponfail", False) and targets_steps(config):
        raise pytest.UsageError(
            "--looponfail would train again at every change of a file, and it never ends: run the phases without -f"
        )
    if not config.option.dry_run:
        return None
    if not asks_for_steps(config):
        raise pytest.UsageError("--dry-run is for the steps of the pipeline: pytest acceptance --full-cycle --dry-run")
    if config.option.keyword or config.option.markexpr:
        raise pytest.UsageError("--dry-run shows every step of the session; leave -k and -m out")
    # What it needs is imported where it is asked for; and no session begins, so that no plugin of it writes anything.
    print(import_module("acceptance.session.dry_run").plan(config))
    return 0
