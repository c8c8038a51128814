"""Options of pytest under which a session of steps could not be believed: no test runs, one can be left undecided, or the report is lost."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

PLUGIN_NAMES = ("voice-acceptance-run", "voice-acceptance-needed-steps", "voice-acceptance-guardrails")

_ONLY_SHOWN = "the steps without running them are shown by: pytest acceptance --collect-only -q"


def refusal(config: pytest.Config) -> str | None:
    """Why steps cannot run with the options of this session, and what to do instead; None where they can."""
    option = config.option
    if getattr(option, "setupplan", False):
        return f"--setup-plan runs no test, so no step could be judged; {_ONLY_SHOWN}"
    if getattr(option, "setuponly", False):
        return f"--setup-only builds and trains, but runs no test, so no step could be judged; {_ONLY_SHOWN}"
    if getattr(option, "trace", False):
        return "with --trace a step can be left before it has decided, and would count as passed; stop where one fails: --pdb"
    blocked = [name for name in PLUGIN_NAMES if config.pluginmanager.is_blocked(name)]
    if blocked:
        return f"-p no:{blocked[0]} switches off what judges the steps; leave it out"
    return without_cycle(config) or _lost_report(config)


def without_cycle(config: pytest.Config) -> str | None:
    """What to change where an option of a full cycle is given without it, or names no file; None where all is well."""
    option = config.option
    if option.full_cycle:
        return None if option.texts is None else _unreadable_texts(config)
    if option.resume is not None:
        return (
            "--resume goes on with a full cycle: pytest acceptance --full-cycle --resume (a training resumes by itself)"
        )
    if option.texts is not None:
        return "--texts names what a full cycle evaluates: pytest acceptance --full-cycle --texts=FILE"
    return None


def _unreadable_texts(config: pytest.Config) -> str | None:
    given = config.option.texts
    try:
        (config.invocation_params.dir / given).read_bytes()
    except OSError as error:
        return f"--texts={given} cannot be read: {error.strerror}; name a file with one sentence a line"
    return None


def _lost_report(config: pytest.Config) -> str | None:
    """What ends the whole process in the middle of a step."""
    instead = "a training that takes too long is ended with a report by: --set train_deadline_s=SECONDS"
    if getattr(config, "_env_timeout_method", None) == "thread" and getattr(config, "_env_timeout", None):
        return f"pytest-timeout's method thread ends the session without a report; {instead}"
    if config.pluginmanager.has_plugin("faulthandler") and config.getini("faulthandler_exit_on_timeout"):
        return f"faulthandler_exit_on_timeout ends the session without a report; {instead}"
    return None


def unwritable_junit(config: pytest.Config) -> str | None:
    """Why the JUnit file could not be written at the end, found out now; None where it can be, or none was asked for."""
    given = getattr(config.option, "xmlpath", None)
    if not given:
        return None
    path = Path(os.path.abspath(os.path.expanduser(os.path.expandvars(given))))  # noqa: PTH100, PTH111  as pytest itself reads it
    try:
        _try(path)
    except OSError as error:
        return f"--junit-xml={given} cannot be written: {error.strerror}; name a file in a directory of yours: --junit-xml=acceptance.xml"
    return None


def _try(path: Path) -> None:
    """Open a file for writing as it is, or make it and take it away again; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        path.open("x").close()
        path.unlink()
        return
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # opening a FIFO would wait for its reader
        path.open("a").close()
