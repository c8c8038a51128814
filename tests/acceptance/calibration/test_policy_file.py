"""Writing thresholds into a policy file: comments stay, nothing else changes, and a crash leaves the old file or the new one."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from pathlib import Path

import pytest

from acceptance.calibration import policy_file
from acceptance.failure import HarnessError
from acceptance.policy import THRESHOLDS, PolicyError, load

CHANGES = {
    "speaker_similarity.pass": 0.777,
    "speaker_similarity.provenance": {"method": "by hand: no", "clips": 32, "sha256": "ab" * 32, "nothing": None},
    "scorecard.min_difference": 2.5,
    "scorecard.grades.A": 90.0,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_bytes(THRESHOLDS.read_bytes())
    return path


def calibrated(path: Path, changes: dict) -> None:
    before, after, _ = policy_file.checked(path, changes)
    policy_file.write(path, before, after)


def comments(text: str) -> list[str]:
    return [line[line.index("#") :] for line in text.splitlines() if "#" in line]


def test_only_the_changed_values_differ_and_every_comment_stays(file: Path) -> None:
    was, text = load(file).values(), file.read_text()
    calibrated(file, CHANGES)
    now = load(file)
    assert {key: value for key, value in now.values().items() if value != was[key]} == CHANGES
    assert comments(file.read_text()) == comments(text)
    old, new = (set(source.splitlines()) for source in (text, file.read_text()))
    outside = [line for line in old - new if not line.startswith("    ")]
    assert sorted(line.split(":")[0].strip() for line in outside if "provenance" not in line) == [
        "min_difference",
        "pass",
    ]


def test_the_same_evidence_again_gives_the_same_bytes(file: Path) -> None:
    calibrated(file, CHANGES)
    once = file.read_bytes()
    calibrated(file, CHANGES)
    assert file.read_bytes() == once


def test_a_shorter_provenance_keeps_the_comment_that_follows(file: Path) -> None:
    file.write_text("speaker_similarity:\n  provenance:\n    a: 1\n    b: 2\n\n# about costs\ncost:\n  currency: USD\n")
    calibrated(file, {"speaker_similarity.provenance": {"c": 3}})
    assert file.read_text() == "speaker_similarity:\n  provenance:\n    c: 3\n\n# about costs\ncost:\n  currency: USD\n"


def test_a_missing_file_is_made_with_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    calibrated(path, CHANGES)
    assert load(path).changed() == CHANGES


def test_a_file_that_is_a_link_stays_one(file: Path) -> None:
    link = file.with_name("link.yaml")
    link.symlink_to(file)
    calibrated(link, CHANGES)
    assert link.is_symlink()
    assert load(file).scorecard.min_difference == 2.5


def test_a_change_that_contradicts_the_policy_is_refused_and_nothing_is_written(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(PolicyError, match="warn"):
        policy_file.checked(file, {"speaker_similarity.pass": 0.99})
    assert file.read_bytes() == before


def test_a_malformed_file_is_refused(file: Path) -> None:
    file.write_text("audio: {")
    with pytest.raises(PolicyError):
        policy_file.checked(file, CHANGES)
    assert file.read_text() == "audio: {"


def test_a_file_that_somebody_else_changed_meanwhile_is_left_alone(file: Path) -> None:
    before, after, _ = policy_file.checked(file, CHANGES)
    file.write_text("audio: {}\n")
    with pytest.raises(HarnessError, match="run the command again"):
        policy_file.write(file, before, after)
    assert file.read_text() == "audio: {}\n"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file(call: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, _ = policy_file.checked(file, CHANGES)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(Exception, match="no space left"):
        policy_file.write(file, before, after)
    monkeypatch.undo()
    assert file.read_text() == before
    assert list(file.parent.iterdir()) == [file]


def write_without_end(path: Path, old: str, new: str) -> None:
    while True:
        policy_file.write(path, old, new)
        policy_file.write(path, new, old)


@pytest.mark.long
def test_a_kill_at_any_moment_leaves_one_whole_version(file: Path) -> None:
    old = file.read_text()
    new = old + "# another version " + "x" * 20_000 + "\n"
    seen, generator = set(), random.Random(7)
    for _ in range(60):
        file.write_text(old)
        process = multiprocessing.get_context("fork").Process(target=write_without_end, args=(file, old, new))
        process.start()
        time.sleep(generator.uniform(0.0, 0.04))
        process.kill()
        process.join()
        text = file.read_text()
        assert text in (old, new)
        seen.add(text)
    assert seen == {old, new}, "the kills hit both versions"
    load(file)
