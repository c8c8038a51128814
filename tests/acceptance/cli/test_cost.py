"""`voice cost` as a person and a CI job use it."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acceptance.cli.main import voice
from acceptance.costs import money, tracker
from acceptance.costs.events import About, Made
from acceptance.costs.totals import OPEN
from acceptance.failure import HarnessError

ABOUT = About(activity="training", rate=36_000_000_000_000 // 10**4, heartbeat_s=30, voice="=dottie|x")


def call(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(voice, ["cost", *arguments, "--workspace", str(workspace)])


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    """A workspace whose log has one session that made two utterances."""
    log = tmp_path / tracker.LOG
    tracker.stop(log, tracker.start(log, ABOUT), Made(approved=2))
    return tmp_path


def test_a_session_is_started_seen_and_stopped(tmp_path: Path) -> None:
    started = call(tmp_path, "start", "--activity", "listening", "--threshold", "cost.heartbeat_s=1")
    assert (started.exit_code, "end it: voice cost stop" in started.output) == (0, True)
    assert "listening" in call(tmp_path, "status").output
    again = call(tmp_path, "start", "--activity", "listening")
    assert (again.exit_code, "is open since" in again.output) == (1, True)
    assert call(tmp_path, "stop").exit_code == 0
    second = call(tmp_path, "stop")
    assert (second.exit_code, second.output) == (0, "nothing is open here\n")


def test_the_session_of_a_run_is_ended_by_the_run_alone(tmp_path: Path) -> None:
    log = tmp_path / tracker.LOG
    session = tracker.start(log, replace(ABOUT, run="run-1"))
    for words in ([], ["--activity", "training"]):
        assert call(tmp_path, "stop", *words).output == "nothing is open here\n"
    assert [one.id for one in tracker.read(log).sessions if one.state == OPEN] == [session]


def test_a_stop_without_any_start_is_answered_with_no(tmp_path: Path) -> None:
    stopped = call(tmp_path, "stop")
    assert (stopped.exit_code, "nothing was started" in stopped.output) == (1, True)


def test_a_report_without_a_log_names_the_next_step(tmp_path: Path) -> None:
    found = call(tmp_path, "report")
    assert (found.exit_code, "voice cost start" in found.stderr) == (2, True)


def test_the_report_adds_up_and_its_csv_is_no_formula(tracked: Path) -> None:
    found = json.loads(call(tracked, "report", "--json", "--csv", str(tracked / "costs.csv")).stdout)
    assert found["total"] == sum(group["cost"] for group in found["by_activity"].values())
    assert found["approved_utterances"] == 2 and found["per_approved_utterance"] == round(found["total"] / 2)
    (row,) = csv.DictReader((tracked / "costs.csv").read_text().splitlines())
    assert row["voice"] == "'=dottie|x" and row["state"] == "stopped"
    assert "\\|x" in call(tracked, "report").output


def test_each_voice_has_its_own_price_for_a_piece_and_what_is_told_again_counts_once(tracked: Path) -> None:
    log = tracked / tracker.LOG
    made = (
        ("ann", Made(approved=4, of="plan")), ("ann", Made(approved=3, of="plan")), ("ann", Made(approved=1)),
        ("ann", Made(promoted=1, of="checkpoint")), ("ann", Made(promoted=1, of="checkpoint")), ("ann", None),
    )  # fmt: skip
    for voice_name, each in made:
        tracker.stop(log, tracker.start(log, replace(ABOUT, voice=voice_name)), each)
    found = json.loads(call(tracked, "report", "--json").stdout)
    ann = found["by_voice"]["ann"]
    assert (ann["sessions"], ann["approved_utterances"], ann["promoted_voices"]) == (6, 4, 1)
    assert ann["per_approved_utterance"] == round(ann["cost"] / 4) and ann["per_promoted_voice"] == ann["cost"]
    assert found["by_voice"]["=dottie|x"]["per_promoted_voice"] is None
    assert (found["approved_utterances"], found["promoted_voices"]) == (6, 1)
    row = next(line for line in call(tracked, "report").output.splitlines() if line.startswith("| ann"))
    assert [cell.strip() for cell in row.split("|")][5:9:2] == ["4", "1"]


def test_workspaces_are_added_up(tracked: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    tracker.stop(other / tracker.LOG, tracker.start(other / tracker.LOG, ABOUT), Made(approved=5))
    found = json.loads(call(tracked, "report", "--json", "--workspace", str(other)).stdout)
    assert (found["approved_utterances"], found["by_activity"]["training"]["sessions"]) == (7, 2)
    missing = call(tracked, "report", "--workspace", str(other / "none"))
    assert (missing.exit_code, "does not exist" in missing.stderr) == (2, True)


def test_the_page_shows_the_total_and_escapes_what_others_wrote(tracked: Path) -> None:
    log = tracked / tracker.LOG
    hostile = About(activity="<script>alert(1)</script>", rate=10**10, heartbeat_s=30)
    with tracker.tracked(log, hostile, warn=pytest.fail):
        pass
    found = json.loads(call(tracked, "report", "--json", "--html", str(tracked / "costs.html")).stdout)
    page = (tracked / "costs.html").read_text()
    assert money.text(found["total"], "USD") in page and "Cost by day" in page
    assert "<script>alert" not in page


def test_a_spent_budget_ends_with_3_and_annotates_a_ci_job(tracked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tracked / tracker.LOG
    with tracker.tracked(log, ABOUT, warn=pytest.fail):
        while tracker.read(log).cost < 10:
            tracker.heartbeat(log, tracker.read(log).sessions[-1].id)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    found = call(tracked, "status", "--threshold", "cost.total_budget=0.000001")
    assert found.exit_code == 3
    assert "::warning title=total_budget::" in found.stderr and "raise cost.total_budget" in found.stderr
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "alert: " in call(tracked, "report", "--threshold", "cost.total_budget=0.000001").stderr


def test_a_bill_is_compared_day_by_day(tracked: Path) -> None:
    bill = tracked / "bill.csv"
    bill.write_bytes(b"\xef\xbb\xbfdate,amount,what\r\n2026-01-02,1.25,GPU\r\n2026-01-02,0.25,disk\r\n")
    found = json.loads(call(tracked, "report", "--json", "--bill", str(bill)).stdout)
    assert found["bill"][0] == {"day": "2026-01-02", "billed": 1_500_000, "tracked": 0}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("day,amount\n2026-01-02,1\n", ":2: it needs the columns date and amount"),
        ("date,amount\n2026-01-02,\n", ":2: '' is no amount"),
        ("date,amount\n2026-13-02,1\n", ":2: '2026-13-02' is no day"),
        ("date,amount\n2026-01-02,NaN\n", ":2: 'NaN' is no amount"),
        ("date,amount\n", ":1: it has no row"),
        ("date,amount,amount\n2026-01-02,1,2\n", ":1: 2 columns are named amount"),
        ('date,amount\n"2026-01-02,1\n', "unexpected end"),
    ],
)
def test_a_bill_that_is_none_is_refused_by_line(tracked: Path, text: str, problem: str) -> None:
    (tracked / "bill.csv").write_text(text)
    found = call(tracked, "report", "--bill", str(tracked / "bill.csv"))
    assert (found.exit_code, problem in found.stderr) == (2, True), found.stderr


def test_a_log_that_is_no_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / tracker.LOG).mkdir(parents=True)
    with pytest.raises(HarnessError, match="move it away"):
        tracker.read(tmp_path / tracker.LOG)


def test_a_torn_end_is_set_aside_and_costs_nothing_else(tracked: Path) -> None:
    log = tracked / tracker.LOG
    os.truncate(log, log.stat().st_size - 5)
    tracker.stop(log, tracker.start(log, ABOUT))
    assert len(tracker.read(log).sessions) == 2
    assert Path(f"{log}.torn").read_bytes()


@pytest.mark.parametrize("name", [tracker.LOG, "bill.csv", "diary.txt"])
def test_a_report_replaces_neither_the_log_nor_the_bill_nor_a_persons_file(tracked: Path, name: str) -> None:
    (tracked / "bill.csv").write_text("date,amount\n2026-01-02,1.25\n")
    (tracked / "diary.txt").write_text("Dear diary\n")
    before = (tracked / name).read_bytes()
    for option in ("--csv", "--html"):
        refused = call(tracked, "report", "--bill", str(tracked / "bill.csv"), option, str(tracked / name))
        assert (refused.exit_code, "output_exists" in refused.stderr) == (2, True)
    assert (tracked / name).read_bytes() == before


def test_an_earlier_report_is_replaced(tracked: Path) -> None:
    for option, name in (("--csv", "costs.csv"), ("--html", "costs.html")):
        for _ in range(2):
            assert call(tracked, "report", option, str(tracked / name)).exit_code == 0


def test_a_number_of_utterances_that_cannot_be_is_refused_and_nothing_is_stopped(tracked: Path) -> None:
    session = tracker.start(tracked / tracker.LOG, ABOUT)
    refused = call(tracked, "stop", "--approved", "9" * 25)
    assert refused.exit_code == 2 and "is not in the range" in refused.stderr and "--approved" in refused.stderr
    assert [one.state for one in tracker.read(tracked / tracker.LOG).sessions if one.id == session] == [OPEN]


def test_a_price_that_is_no_number_is_refused(tmp_path: Path) -> None:
    refused = call(tmp_path, "start", "--rate", "nan")
    assert (refused.exit_code, "--rate nan" in refused.stderr) == (2, True)
