"""Each health check stops a production by its name, before anything is spoken."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acceptance.policy import Policy
from acceptance.production import cores, health, memory, probe
from acceptance.production.health import HealthFailure, Subject
from acceptance.production.planning import PromptList, Wanted
from acceptance.production.voice_source import VoiceSource
from tests.acceptance.production.made_plans import PROBED
from tests.acceptance.voices.test_consent import RECORD
from tests.trainer.synthesis import untrained_voice
from trainer.files import plain_file
from trainer.files.json_lines import Listing

NAMES = ["checkpoint_valid", "checkpoint_recorded", "consent", "reference_usable", "output_usable", "evaluators_load", "disk_room",
         "memory_room"]  # fmt: skip
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def subject(tmp_path: Path, small_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """Everything holds; the evaluators are tried elsewhere, in whole productions."""
    monkeypatch.setattr(probe, "run", lambda request: PROBED)
    voice = untrained_voice.write(tmp_path / "voice.pt")
    (tmp_path / "voice.toml").write_text(RECORD)
    listing = Listing(count=10, sha256="0" * 64)
    return Subject(
        batch=tmp_path / "batch", voice=VoiceSource(checkpoint=voice, sha256=plain_file.sha256(voice)), manifest=small_manifest,
        reference=None, consent=None, consent_folders=(tmp_path,), wanted=Wanted(),
        prompts=PromptList(prompts=listing, left_out=listing, characters=1000), policy=Policy(), processes=1,
    )  # fmt: skip


def stopped(subject: Subject, **changes: Any) -> HealthFailure:
    with pytest.raises(HealthFailure) as found:
        health.examine(replace(subject, **changes))
    assert str(found.value).startswith(f"health check {found.value.check}: ") and ";" in str(found.value)
    return found.value


def test_all_checks_are_told_in_order_with_what_they_found(subject: Subject) -> None:
    told: list[str] = []
    found = health.examine(subject, lambda check: told.append(check.name))
    assert told == NAMES == [check.name for check in found.checks] and all(check.found for check in found.checks)
    assert found.manifest_sha256 == plain_file.sha256(subject.manifest or Path())


def test_a_file_that_is_no_voice_is_no_valid_checkpoint(subject: Subject, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"no checkpoint")
    failure = stopped(subject, voice=VoiceSource(checkpoint=bad, sha256=plain_file.sha256(bad)))
    assert (failure.check, failure.cause) == ("checkpoint_valid", "checkpoint_invalid")


def test_a_checkpoint_that_changes_meanwhile_is_not_valid(subject: Subject) -> None:
    failure = stopped(subject, voice=replace(subject.voice, sha256="0" * 64))
    assert (failure.check, failure.cause) == ("checkpoint_valid", "artifact_mismatch")


def test_consent_is_asked_for_unless_the_policy_says_otherwise(subject: Subject, tmp_path: Path) -> None:
    (tmp_path / "voice.toml").unlink()
    assert (failure := stopped(subject)).check == "consent" and failure.cause == "consent_missing"
    (tmp_path / "voice.toml").write_text(RECORD.replace('"train", "produce"', '"train"'))
    assert stopped(subject).cause == "consent_refused"
    rules = replace(subject.policy.production, require_consent=False)
    assert health.examine(replace(subject, policy=replace(subject.policy, production=rules))).probed is PROBED


def test_without_a_dataset_or_real_clips_there_is_nothing_to_compare_with(subject: Subject) -> None:
    failure = stopped(subject, manifest=None)
    assert (failure.check, failure.cause) == ("reference_usable", "reference_missing")


def test_a_manifest_that_is_not_the_runs_any_more_is_refused(subject: Subject) -> None:
    voice = replace(subject.voice, run="a-run", manifest=subject.manifest, manifest_sha256="0" * 64)
    failure = stopped(subject, voice=voice)
    assert (failure.check, failure.cause) == ("reference_usable", "artifact_mismatch")


def test_real_clips_of_a_folder_may_stand_for_the_manifest(subject: Subject) -> None:
    assert subject.manifest is not None
    clips = next(path.parent for path in subject.manifest.parent.rglob("*.flac"))
    found = health.examine(replace(subject, manifest=None, reference=clips))
    assert found.manifest_sha256 is None


def test_an_output_that_cannot_be_written_is_found_out_now(subject: Subject, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert stopped(subject, batch=tmp_path / "file").check == "output_usable"


def test_a_disk_that_is_too_small_for_the_batch_stops_it_with_both_numbers(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(0, 0, 1_000_000))
    failure = stopped(subject)
    assert (failure.check, failure.cause) == ("disk_room", "disk_full")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(0, 0, 2_000_000))
    assert health.expected_bytes(subject, PROBED) == 1_300_000 + 10 * 4096
    assert health.examine(subject).checks


def test_too_little_memory_says_how_many_processes_would_do(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 3 * 2**30)
    failure = stopped(subject, processes=4)
    assert (failure.check, failure.cause) == ("memory_room", "out_of_memory") and "--processes 2" in str(failure)


def test_a_system_that_does_not_say_its_memory_is_no_obstacle(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> int:
        raise FileNotFoundError("/proc/meminfo")

    monkeypatch.setattr(memory, "available", unknown)
    assert "does not say" in health.examine(subject).checks[-1].found


def test_the_memory_of_a_control_group_counts(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    1000 kB\n")
    assert memory.available(meminfo, tmp_path) == 1_024_000
    (tmp_path / "memory.max").write_text("500000\n")
    (tmp_path / "memory.current").write_text("100000\n")
    assert memory.available(meminfo, tmp_path) == 400_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available(meminfo, tmp_path) == 1_024_000


def test_where_fewer_processes_will_do_the_memory_says_how_many(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 3 * 2**30)
    found = health.examine(replace(subject, processes=4, fewer=True))
    assert found.processes == 2 and "only 2 of 4 processes" in found.checks[-1].found
    assert health.examine(replace(subject, processes=2)).processes == 2


def test_without_memory_for_one_process_no_option_is_advised(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 2**30)
    failure = stopped(subject, processes=4, fewer=True)
    assert failure.cause == "out_of_memory" and "give the machine more memory" in str(failure)
    assert "--processes" not in str(failure)


@pytest.mark.parametrize(
    ("quota", "expected"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None), ("x", None), (None, None)]
)
def test_the_cores_are_those_of_the_control_group(tmp_path: Path, quota: str | None, expected: int | None) -> None:
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota + "\n")
    assert cores.usable(tmp_path) == (expected or len(os.sched_getaffinity(0)))
