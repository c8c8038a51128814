"""Cost log, score history and registry under 200 kills: nothing acknowledged is lost, nothing is there twice, nobody reads a torn line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT

pytestmark = pytest.mark.long


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_nothing_is_lost_or_doubled_over_200_kills_of_four_writers(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.acceptance.record.killed_writers", str(tmp_path)]
    done = subprocess.run(program, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("*/artifacts/cost_log.jsonl"))) == 8
