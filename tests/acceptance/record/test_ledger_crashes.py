"""Four writers, one of them killed with SIGKILL 200 times: nothing that was acknowledged is lost, and nobody ever reads a torn line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT

pytestmark = pytest.mark.long


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_acknowledged_record_is_lost_and_no_torn_line_is_read_over_200_kills(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.acceptance.record.killed_writers", str(tmp_path)]
    done = subprocess.run(program, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("*/history.jsonl"))) == 8
