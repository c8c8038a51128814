"""The report is the last thing on standard output, once, whatever options and plugins the session runs with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.report import block
from tests.acceptance.harness import Session, environment
from tests.acceptance.sessions.conftest import Bench

OPTIONS = {
    "quiet": ("-q",),
    "very quiet": ("-qq",),
    "verbose": ("-v", "-rA", "--durations=3", "--color=yes"),
    "uncaptured": ("-s",),
    "tee": ("-q", "--capture=tee-sys"),
    "no terminal plugin": ("-p", "no:terminal"),
    "no capture plugin": ("-q", "-p", "no:capture"),
    "neither": ("-p", "no:terminal", "-p", "no:capture"),
    "first failure": ("-q", "-x"),
    "max failures": ("-q", "--maxfail=1"),
    "stepwise": ("-q", "--stepwise", "-o", "cache_dir={workspace}/cache"),
}


def assert_report_is_last(session: Session) -> None:
    assert session.stdout.endswith(block.END + "\n"), session.stdout[-500:] + session.stderr[-2000:]
    assert session.stdout.count(block.BEGIN) == session.stdout.count(block.END) == 1
    assert block.BEGIN not in session.stderr
    assert list(session.block) == list(block.KEYS)
    assert session.run_dir is not None
    assert (session.run_dir / "report.txt").read_text() == session.block_text + "\n"


@pytest.fixture(scope="module")
def blocked(make_bench: Callable[..., Bench]) -> dict[str, Session]:
    """A session without a recording per set of options, two at a time."""

    def run(name: str) -> Session:
        bench = make_bench(name)
        (bench.workspace / "data/recording.wav").unlink()
        return bench.run(*(option.format(workspace=bench.workspace) for option in OPTIONS[name]))

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(OPTIONS, pool.map(run, OPTIONS), strict=True))


@pytest.mark.parametrize("name", OPTIONS)
def test_a_blocked_session_ends_with_its_report(blocked: dict[str, Session], name: str) -> None:
    assert_report_is_last(blocked[name])
    assert blocked[name].decision == ("data_blocked", "phase_1_preflight.audio_exists", "audio_missing")
    assert blocked[name].returncode == (2 if name == "stepwise" else 1)


def test_stopping_at_the_first_failure_leaves_later_steps_undecided(blocked: dict[str, Session]) -> None:
    assert "1 failed" in blocked["first failure"].stdout
    assert blocked["first failure"].outcome("phase_1_preflight.docker_cli") == "not_run"


def test_the_report_does_not_depend_on_how_pytest_prints(blocked: dict[str, Session]) -> None:
    assert len({session.block_text for session in blocked.values()}) == 1


def test_a_console_that_is_not_unicode_gets_the_report_with_escapes(bench: Bench) -> None:
    session = bench.run("-q", "--set", "audio=data/übung.wav", env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert session.stdout.endswith(block.END + "\n")
    assert session.block["audio_path"] == "data/\\xfcbung.wav"


def test_a_reader_that_closes_the_pipe_early_gets_the_report_on_standard_error(bench: Bench) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "acceptance",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "audio_exists",
        *bench.options(),
    ]
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment(), stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert block.END in process.stderr
    assert next((bench.workspace / "artifacts/runs").glob("*/report.txt")).read_text().startswith(block.BEGIN)


def test_another_plugin_that_prints_at_the_end_comes_before_the_report(bench: Bench, tmp_path: Path) -> None:
    source = "import pytest\n@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_sessionfinish():\n    yield\n    print('said late')\n"
    (tmp_path / "talkative.py").write_text(source)
    session = bench.run("-q", "-s", "-p", "talkative", "-k", "audio_exists", env={"PYTHONPATH": str(tmp_path)})
    assert_report_is_last(session)
    assert "said late" in session.stdout
