"""Standard output that goes away in any way costs text, never the run: the training ends, the exit status is the true one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.report import block
from tests.acceptance.harness import environment
from tests.acceptance.sessions.conftest import Bench, wait_for

STATUS = ' ; echo "status $?" >"$STATUS"'
WAYS = {
    "a reader that leaves after a line": f'{{ "$@"{STATUS} ; }} | head -n 1',
    "a reader that never reads": f'{{ dd if=/dev/zero bs=65536 count=1 2>/dev/null; "$@" -v{STATUS} ; }} | {{ sleep 60 & wait; }}',
    "closed": f'"$@" >&-{STATUS}',
    "both closed": f'"$@" >&- 2>&-{STATUS}',
    "closed and uncaptured": f'"$@" -s >&-{STATUS}',
    "a full disk": f'"$@" >/dev/full{STATUS}',
}
TOLD = (
    "a reader that leaves after a line",
    "closed",
    "closed and uncaptured",
    "a full disk",
    "a reader that never reads",
)


@pytest.mark.parametrize("way", WAYS)
def test_a_training_goes_on_and_ends_with_the_true_status(bench: Bench, tmp_path: Path, way: str) -> None:
    command = [sys.executable, "-m", "pytest", "acceptance", "-p", "no:cacheprovider", *bench.options()]
    status = tmp_path / "status"
    process = subprocess.Popen(
        ["/bin/sh", "-c", WAYS[way], "sh", *command], cwd=PROJECT_ROOT, env=environment({"STATUS": str(status)}), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    bench.started.append(process)
    wait_for(lambda: status.is_file() and status.read_text().endswith("\n"), timeout=90)
    if way == "a reader that never reads":
        subprocess.run(["pkill", "-s", str(process.pid), "sleep"], check=False)
    stderr = process.communicate(timeout=60)[1]
    assert status.read_text() == "status 0\n", stderr
    run_dir = (bench.workspace / "artifacts/latest").resolve()
    assert "objective_status: success\n" in (run_dir / "report.txt").read_text()
    assert "PROGRESS 100 100" in (run_dir / "container.log").read_text()
    assert block.END in stderr or way not in TOLD
    assert "Traceback" not in stderr
