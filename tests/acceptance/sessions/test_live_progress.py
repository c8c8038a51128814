"""What a person sees while the job runs: a bar on a terminal, whole lines in a log, also under -q."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.report import block
from tests.acceptance.harness import environment
from tests.acceptance.sessions.conftest import Bench


def on_a_terminal(bench: Bench, *arguments: str) -> str:
    """Everything that a session writes to a terminal of 120 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    command = [sys.executable, "-m", "pytest", "acceptance", "-p", "no:cacheprovider", *bench.options(), *arguments]
    env = environment({"VOICE_ENV__TINY_DELAY": "2.5", "VOICE_ENV__TINY_PAUSE": "0.4", "TERM": "xterm"})
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 65536):
            written += data
    except OSError:  # the other end is closed
        pass
    process.wait()
    os.close(ours)
    return written.decode()


def test_a_terminal_shows_a_bar_with_step_percent_loss_and_time_left(bench: Bench) -> None:
    written = on_a_terminal(bench, "-q")
    bars = re.findall(r"training: +(\d+)%\|[^|]*\| (\d+)/100 \[\d\d:\d\d<(\S+),[^\r\n]*loss (\d\.\d{4})\]", written)
    assert ("70", "70", "1.2500") in [(percent, step, loss) for percent, step, _, loss in bars], written
    assert any(re.fullmatch(r"\d\d:\d\d", left) for _, _, left, _ in bars)
    assert written.replace("\r\n", "\n").endswith(block.END + "\n")


@pytest.mark.parametrize("verbosity", ["-q", "-qq"])
def test_a_log_gets_whole_lines(bench: Bench, verbosity: str) -> None:
    session = bench.run(verbosity, env={"VOICE_ENV__TINY_DELAY": "2.2", "VOICE_ENV__TINY_PAUSE": "0.1"})
    assert "\r" not in session.stdout + session.stderr
    lines = [line for line in session.stdout.splitlines() if "training:" in line]
    assert lines[0] == "  training: step 10/100 (10 %), loss 2.5000"
    assert re.fullmatch(r"  training: step 100/100 \(100 %\), loss 1\.2500, 00:00 left", lines[-1])
    assert any(line.startswith("  build: ") for line in session.stdout.splitlines())
