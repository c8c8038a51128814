"""Eight signals over sessions on the Docker engine; `python -m tests.benchmarks.signal_sweep` sends hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.engines import require_engine
from tests.benchmarks.signal_sweep import sweep, table

pytestmark = pytest.mark.engine


def test_signals_at_eight_moments_leave_no_container_and_the_good_outputs(tmp_path: Path) -> None:
    require_engine()
    shots = sweep(tmp_path, [1.0 + 0.4 * number for number in range(8)], jobs=2)
    assert len(shots) == 8
    assert not any(shot.misses for shot in shots), table(shots)
