"""Status and markers: strict, atomic, complete at every moment."""

import io
import json

import pytest

from trainer.files import strict_json
from trainer.job.contract import Marker
from trainer.job.markers import MarkerLog
from trainer.job.status import StatusFile


def status_file(path, **changes):
    return StatusFile(path, run_id="r", seed=0, threads=2, **changes)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_does_not_have_is_never_written(value, tmp_path):
    path = tmp_path / "status.json"
    status_file(path).running(force=True, loss=1.5)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        status_file(path).completed(loss=value)
    assert path.read_bytes() == before


def test_running_writes_at_most_once_per_interval(tmp_path):
    path = tmp_path / "status.json"
    status = status_file(path, interval_s=3600.0)
    for step in range(5):
        status.running(step=step, loss=1.0)
    assert strict_json.loads(path.read_bytes())["step"] == 0


def test_a_failure_keeps_what_was_known_and_adds_its_cause(tmp_path):
    path = tmp_path / "status.json"
    status = status_file(path)
    status.running(step=4, loss=1.25)
    status.failed(cause="disk_full", message="no space")
    document = strict_json.loads(path.read_bytes())
    assert (document["status"], document["step"], document["loss"]) == ("failed", 4, 1.25)
    assert (document["cause"], document["message"]) == ("disk_full", "no space")


def test_no_temporary_file_stays_behind(tmp_path):
    status_file(tmp_path / "status.json").running(force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_markers_start_with_the_run_and_replace_those_of_an_earlier_one(tmp_path):
    path, stdout = tmp_path / "phase_markers.log", io.StringIO()
    path.write_text("run_id old\nimport_ok\nsaved\n")
    log = MarkerLog(path, run_id="new", stdout=stdout)
    log.reach(Marker.IMPORT_OK)
    log.reach(Marker.MODEL_OK)
    assert path.read_text() == "run_id new\nimport_ok\nmodel_ok\n"
    assert stdout.getvalue() == "import_ok\nmodel_ok\n"


def test_a_marker_log_that_is_a_link_is_refused(tmp_path):
    target = tmp_path / "precious"
    target.write_text("keep")
    (tmp_path / "phase_markers.log").symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        MarkerLog(tmp_path / "phase_markers.log", run_id="r", stdout=io.StringIO())
    assert target.read_text() == "keep"


def test_the_timestamp_is_utc(tmp_path):
    path = tmp_path / "status.json"
    status_file(path).running(force=True)
    assert json.loads(path.read_text())["timestamp"].endswith("+00:00")
