"""`voice produce` and `voice merge` as a person calls them: whole productions with a voice of a few kilobytes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acceptance.costs import tracker
from acceptance.costs.events import Made
from acceptance.costs.totals import STOPPED
from acceptance.objective import PROJECT_ROOT
from tests.acceptance.harness import environment
from tests.acceptance.voices.test_consent import RECORD
from tests.trainer.synthesis import untrained_voice

pytestmark = pytest.mark.session

TEXTS = "Thank you.\nSit down.\n\U0001f600\nAll right.\n"
LENIENT = [
    word
    for key in (
        "min_similarity=-1",
        "min_realism=1",
        "max_wer=10",
        "reject_wer=10",
        "max_faults=20",
        "min_grade=D",
        "min_judged_s=0",
    )
    for word in ("--threshold", f"production.{key}")
] + ["--threshold", "scorecard.grades.D=0"]
"""An untrained voice can be heard and judged, and not more."""


def voice(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "acceptance.cli", *words, *LENIENT], cwd=folder, capture_output=True, text=True, check=False,
        env={**environment(), "PYTHONPATH": str(PROJECT_ROOT)},
    )  # fmt: skip


def arguments(output: str, *more: str) -> list[str]:
    return [
        "produce",
        "prompts.txt",
        "--output",
        output,
        "--checkpoint",
        "voice.pt",
        "--manifest",
        "manifest/manifest.json",
        *more,
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, small_manifest: Path) -> Path:
    """A folder with a voice, its dataset, its consent record and four prompts, of which one cannot be spoken."""
    folder = tmp_path_factory.mktemp("studio")
    untrained_voice.write(folder / "voice.pt")
    shutil.copytree(small_manifest.parent, folder / "manifest")
    (folder / "voice.toml").write_text(RECORD)
    (folder / "prompts.txt").write_text(TEXTS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def whole(place: Path) -> Path:
    """A batch that was made in one go, two takes in two shards."""
    made = voice(place, *arguments("whole", "--takes", "2", "--shards", "2"))
    assert made.returncode == 0, made.stderr
    return place / "whole"


def content(batch: Path) -> dict[str, bytes]:
    """Every file of a batch that does not tell of time or host."""
    skipped = {"timing.json", ".lock", "batch_report.md", "batch_report.html"}
    return {str(path.relative_to(batch)): path.read_bytes() for path in sorted(batch.rglob("*"))
            if path.is_file() and path.name not in skipped}  # fmt: skip


def test_every_prompt_is_spoken_judged_and_sorted(whole: Path) -> None:
    report = json.loads((whole / "batch_report.json").read_text())
    assert report["counts"] == {
        "generated": 6, "approved": 6, "rejected": 0, "quarantined": 0, "left_out": 1, "prompts": 3, "prompts_approved": 3,
    }  # fmt: skip
    assert report["plan"]["plan_sha256"] and report["policy"]["min_similarity"] == -1
    assert len((whole / "verdicts.jsonl").read_text().splitlines()) == 6
    timing = json.loads((whole / "timing.json").read_text())
    assert timing["takes"] == 6 and timing["engines"] == ["local, 1 process"] and timing["cpu_s"]["realism"] > 0


def test_the_machine_is_tracked_and_the_approved_takes_are_counted_once(place: Path, whole: Path) -> None:
    (found,) = [one for one in tracker.read(place / tracker.LOG).sessions if one.about.run == "whole"]
    assert (found.about.activity, found.state) == ("production", STOPPED) and found.cost > 0
    assert found.made == Made(
        approved=6, of=json.loads((whole / "batch_report.json").read_text())["plan"]["plan_sha256"]
    )
    wall_s = json.loads((whole / "timing.json").read_text())["wall_s"]
    assert wall_s <= found.paid_ms / 1000, "its health check and its judging are paid, too"


def test_a_spent_budget_plans_nothing_and_without_an_account_no_time_is_written(place: Path, whole: Path) -> None:
    before = (place / tracker.LOG).read_bytes()
    refused = voice(place, *arguments("dear", "--threshold", "cost.total_budget=0.000001"))
    assert refused.returncode == 2 and "[budget_spent]" in refused.stderr and "voice cost report" in refused.stderr
    assert not (place / "dear").exists()
    again = voice(place, "produce", "--output", "whole", "--resume", "--json", "--no-cost")
    assert again.returncode == 0 and json.loads(again.stdout)["cost"]["per_approved_utterance"] >= 0
    assert (place / tracker.LOG).read_bytes() == before


def test_killed_again_and_again_it_ends_in_the_same_files(place: Path, whole: Path) -> None:
    words = [sys.executable, "-m", "acceptance.cli", *arguments("killed", "--takes", "2", "--shards", "2"), *LENIENT]
    chance = random.Random(7)
    for _ in range(3):
        begun = ["--resume"] if (place / "killed").exists() else []
        process = subprocess.Popen(
            [*words, *begun], cwd=place, env={**environment(), "PYTHONPATH": str(PROJECT_ROOT)}, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(chance.uniform(1, 12))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    ended = subprocess.run(
        [*words, "--resume"],
        cwd=place,
        env={**environment(), "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert content(place / "killed") == content(whole)


def test_shards_of_two_machines_merge_into_the_batch_that_one_machine_makes(place: Path, whole: Path) -> None:
    for index in (1, 2):
        made = voice(place, *arguments(f"machine_{index}", "--takes", "2", "--shard", f"{index}/2"))
        assert made.returncode == 0, made.stderr
    missing = voice(place, "merge", "half", "machine_1")
    assert missing.returncode == 2 and "shard 2 of 2" in missing.stderr
    merged = voice(place, "merge", "merged", "machine_1", "machine_2")
    assert merged.returncode == 0, merged.stderr
    assert "consent: " in merged.stderr
    assert content(place / "merged") == content(whole)


def test_a_merge_asks_for_consent_and_replaces_no_file_of_others(place: Path, whole: Path) -> None:
    (place / "mine").mkdir()
    (place / "mine/prompts.jsonl").write_text("mine")
    refused = voice(place, "merge", "mine", "whole")
    assert refused.returncode == 2 and "mine holds prompts.jsonl" in refused.stderr
    assert (place / "mine/prompts.jsonl").read_text() == "mine" and len(list((place / "mine").iterdir())) == 1
    (place / "voice.toml").rename(place / "away.toml")
    try:
        refused = voice(place, "merge", "unwanted_merge", "whole")
        allowed = voice(place, "merge", "wanted_merge", "whole", "--consent", "away.toml")
    finally:
        (place / "away.toml").rename(place / "voice.toml")
    assert refused.returncode == 2 and "health check consent" in refused.stderr
    assert not (place / "unwanted_merge").exists()
    assert allowed.returncode == 0, allowed.stderr


def test_other_real_clips_and_a_batch_that_is_not_there_are_refused_with_resume(place: Path, whole: Path) -> None:
    before = content(whole)
    other = voice(place, "produce", "--output", "whole", "--resume", "--reference", "whole/approved")
    assert other.returncode == 2 and "[plan_changed]" in other.stderr and "whole/approved" in other.stderr
    typo = voice(place, *arguments("whoel"), "--resume")
    assert typo.returncode == 2 and "[plan_missing]" in typo.stderr and "whoel" in typo.stderr
    assert not (place / "whoel").exists() and content(whole) == before


def test_prompts_that_are_refused_leave_no_folder(place: Path) -> None:
    (place / "twice.csv").write_text("id,text\na,One.\na,Two.\n")
    refused = voice(place, "produce", "twice.csv", "--output", "new/batch", "--checkpoint", "voice.pt")
    assert refused.returncode == 2 and "twice.csv" in refused.stderr and not (place / "new").exists()


def test_a_second_run_on_the_same_folder_is_refused_and_changes_nothing(place: Path, whole: Path) -> None:
    before = content(whole)
    again = voice(place, *arguments("whole", "--takes", "2", "--shards", "2"))
    assert again.returncode == 2 and "--resume" in again.stderr and "[output_exists]" in again.stderr
    other = voice(place, *arguments("whole", "--takes", "3", "--resume"))
    assert other.returncode == 2 and "takes is 2, not 3" in other.stderr
    assert content(whole) == before


def test_a_finished_batch_is_resumed_without_speaking_again(place: Path, whole: Path) -> None:
    before = content(whole)
    again = voice(place, "produce", "--output", "whole", "--resume", "--json")
    assert again.returncode == 0 and json.loads(again.stdout)["counts"]["generated"] == 6
    assert content(whole) == before and "clips" not in again.stderr


def test_without_consent_nothing_is_made(place: Path) -> None:
    consent = place / "voice.toml"
    consent.rename(place / "away.toml")
    try:
        refused = voice(place, *arguments("unwanted"))
    finally:
        (place / "away.toml").rename(consent)
    assert refused.returncode == 2 and "health check consent" in refused.stderr
    assert not (place / "unwanted").exists()
