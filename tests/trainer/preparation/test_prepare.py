"""Preparation from end to end, on real decoders and the real detector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch

from trainer.audio import quality
from trainer.dataset import manifest
from trainer.dataset.manifest import Manifest
from trainer.errors import DataError, TrainerError, TrainingError
from trainer.preparation.prepare import PrepareSettings, prepare, split_by_time

RATE = 22_050
DEFAULTS = PrepareSettings()
ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "voices"


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0]


def run(audio: Path, output: Path, settings: PrepareSettings | None = None) -> Manifest:
    return prepare(audio, output / "manifest.json", settings, workspace=audio.parent)


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


def refusal(audio: Path, output: Path) -> TrainerError:
    with pytest.raises(TrainerError) as caught:
        run(audio, output)
    assert not (output / "manifest.json").exists()
    return caught.value


# --- what comes out ---


def test_the_manifest_on_disk_is_the_one_returned_and_its_clips_verify(small_recording: Path, tmp_path: Path) -> None:
    made = run(small_recording, tmp_path)
    assert manifest.load(tmp_path / "manifest.json") == made
    manifest.verify_clips(made, tmp_path)


def test_every_sentence_becomes_an_utterance(small_manifest: Path) -> None:
    made = manifest.load(small_manifest)
    assert len(made.entries) == 10
    assert not made.dropped
    assert made.source.path == "small.flac"


def test_clips_are_mono_sixteen_bit_at_the_target_rate_and_loudness(small_manifest: Path) -> None:
    for entry in manifest.load(small_manifest).entries:
        path = small_manifest.parent / entry.path
        info = soundfile.info(path)
        assert (info.format, info.subtype, info.channels, info.samplerate) == ("FLAC", "PCM_16", 1, RATE)
        assert info.duration == pytest.approx(entry.duration_s, abs=1e-4)
        assert quality.loudness_lufs(read(path), RATE) == pytest.approx(DEFAULTS.target_lufs, abs=0.1)


def test_clips_are_what_the_recording_holds_at_their_times(small_recording: Path, small_manifest: Path) -> None:
    whole = read(small_recording)
    for entry in manifest.load(small_manifest).entries:
        clip = read(small_manifest.parent / entry.path)
        original = whole[round(entry.start_s * RATE) :][: len(clip)]
        assert np.corrcoef(clip, original)[0, 1] > 0.9999


def test_the_end_of_the_recording_is_held_out(small_manifest: Path) -> None:
    splits = [entry.split for entry in manifest.load(small_manifest).entries]
    assert splits == sorted(splits, reverse=True)
    assert splits.count("held_out") == 3


def test_a_long_recording_holds_out_no_more_than_the_limit(small_manifest: Path) -> None:
    entries = [
        replace(entry, id=str(number)) for number in range(500) for entry in manifest.load(small_manifest).entries
    ]
    held_out = [entry for entry in split_by_time(entries, DEFAULTS) if entry.split == "held_out"]
    assert 0.0 <= sum(entry.duration_s for entry in held_out) - DEFAULTS.held_out_max_s < DEFAULTS.max_utterance_s


@pytest.mark.parametrize(("count", "held_out"), [(2, 1), (3, 1), (5, 1), (6, 2), (9, 3), (20, 3), (48, 6)])
def test_training_keeps_at_least_two_thirds_of_the_utterances(small_manifest: Path, count: int, held_out: int) -> None:
    one = manifest.load(small_manifest).entries[0]
    entries = split_by_time([one] * count, DEFAULTS)
    assert sum(entry.split == "held_out" for entry in entries) == held_out


def test_progress_reaches_the_end_of_both_readings(small_recording: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, float, float]] = []
    prepare(small_recording, tmp_path / "m.json", workspace=tmp_path, on_progress=lambda *step: seen.append(step))
    total = soundfile.info(small_recording).duration
    for what in ("detect", "cut"):
        steps = [step for step in seen if step[0] == what]
        assert [step[1] for step in steps] == sorted(step[1] for step in steps)
        assert steps[-1][1] == pytest.approx(total, abs=2.0)
        assert steps[-1][2] == pytest.approx(total)


# --- determinism ---


def test_two_runs_give_the_same_bytes(small_recording: Path, tmp_path: Path) -> None:
    run(small_recording, tmp_path / "one")
    run(small_recording, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@pytest.mark.long
def test_another_process_directory_and_thread_count_give_the_same_bytes(
    small_recording: Path, small_manifest: Path, tmp_path: Path
) -> None:
    code = (
        "import sys, torch; from pathlib import Path; from trainer.preparation.prepare import prepare\n"
        "torch.set_num_threads(3)\n"
        "prepare(Path('small.flac'), Path(sys.argv[1]), workspace=Path('.'))"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path / small_manifest.name)],
        check=True,
        cwd=small_recording.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert tree(tmp_path) == tree(small_manifest.parent)


def test_a_second_run_leaves_the_clips_alone(small_recording: Path, tmp_path: Path) -> None:
    made = run(small_recording, tmp_path)
    before = [(tmp_path / entry.path).stat().st_mtime_ns for entry in made.entries]
    run(small_recording, tmp_path)
    assert [(tmp_path / entry.path).stat().st_mtime_ns for entry in made.entries] == before


def test_a_damaged_clip_of_an_earlier_run_is_written_again(small_recording: Path, tmp_path: Path) -> None:
    made = run(small_recording, tmp_path)
    (tmp_path / made.entries[0].path).write_bytes(b"torn")
    run(small_recording, tmp_path)
    manifest.verify_clips(made, tmp_path)


def test_other_settings_never_overwrite_clips(small_recording: Path, tmp_path: Path) -> None:
    first = run(small_recording, tmp_path)
    second = run(small_recording, tmp_path, replace(DEFAULTS, target_lufs=-30.0))
    assert {entry.path for entry in first.entries}.isdisjoint(entry.path for entry in second.entries)
    manifest.verify_clips(first, tmp_path)


def test_no_temporary_file_is_left(small_recording: Path, tmp_path: Path) -> None:
    made = run(small_recording, tmp_path)
    assert set(tree(tmp_path)) == {"manifest.json", *(entry.path for entry in made.entries)}


def test_leftovers_of_a_killed_run_are_removed(small_recording: Path, tmp_path: Path) -> None:
    made = run(small_recording, tmp_path)
    clip = tmp_path / made.entries[0].path
    for torn in (clip.with_name(f".{clip.name}.4711.tmp"), tmp_path / ".manifest.json.4711.tmp"):
        torn.write_bytes(b"torn")
    bystander = tmp_path / ".other.json.4711.tmp"
    bystander.write_bytes(b"not ours")
    run(small_recording, tmp_path)
    assert set(tree(tmp_path)) == {"manifest.json", bystander.name, *(entry.path for entry in made.entries)}


@pytest.mark.parametrize("place", ["inside", "outside", "odd"])
def test_the_source_path_is_relative_whatever_the_workspace(small_recording: Path, tmp_path: Path, place: str) -> None:
    audio = {
        "inside": tmp_path / "w" / "data" / ".." / "a.flac",
        "outside": tmp_path / "a.flac",
        "odd": tmp_path / "w" / "\udcff.flac",
    }[place]
    (tmp_path / "w" / "data").mkdir(parents=True)
    audio.write_bytes(small_recording.read_bytes())
    made = prepare(audio, tmp_path / "out" / "m.json", workspace=tmp_path / "w")
    assert made.source.path == {"inside": "a.flac", "outside": "a.flac", "odd": "\ufffd.flac"}[place]
    assert manifest.load(tmp_path / "out" / "m.json") == made


# --- formats ---


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [
        ("s.flac", 44_100, 2),
        ("l.wav", 8_000, 1),
        ("h.flac", 192_000, 1),
        ("o.ogg", 48_000, 2),
        ("m.mp3", 44_100, 1),
        ("q.wav", 16_000, 4),
    ],
)
def test_any_format_rate_and_channel_count_gives_the_same_cuts(
    small_recording: Path, small_manifest: Path, tmp_path: Path, name: str, rate: int, channels: int
) -> None:
    samples = soxr.resample(read(small_recording), RATE, rate)
    with soundfile.SoundFile(tmp_path / name, "w", rate, channels) as stream:
        for start in range(0, len(samples), rate):  # libvorbis overflows its stack when given everything at once
            stream.write(np.repeat(samples[start : start + rate, None], channels, axis=1))
    made, expected = run(tmp_path / name, tmp_path / "out"), manifest.load(small_manifest)
    assert (made.source.sample_rate, made.source.channels) == (rate, channels)
    assert [entry.start_s for entry in made.entries] == pytest.approx(
        [entry.start_s for entry in expected.entries], abs=0.15
    )
    assert {entry.sample_rate for entry in made.entries} == {RATE}


# --- what cannot be used ---


def silence(path: Path) -> None:
    soundfile.write(path, np.zeros(600 * 16_000, np.int16), 16_000)


def blink(path: Path) -> None:
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(RATE // 10), RATE)


def one_sample(path: Path) -> None:
    soundfile.write(path, np.ones(1, np.int16), RATE)


def hiss(path: Path) -> None:
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(60 * RATE), RATE)


def melody(path: Path) -> None:
    generator, parts = np.random.default_rng(0), []
    for _ in range(120):
        hertz, seconds = 220.0 * 2 ** (generator.integers(0, 24) / 12), np.arange(RATE // 2) / RATE
        tone = sum(np.sin(2 * np.pi * hertz * k * seconds) / k for k in range(1, 6))
        parts.append(0.1 * tone * np.exp(-3.0 * seconds))
    soundfile.write(path, np.concatenate(parts), RATE)


@pytest.mark.parametrize("make", [silence, blink, one_sample, hiss, melody])
def test_a_recording_without_speech_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.flac")
    error = refusal(tmp_path / "a.flac", tmp_path / "out")
    assert (error.exit_code, error.cause) == (10, "no_usable_speech")


def test_a_few_seconds_of_speech_are_too_little(small_recording: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.flac", read(small_recording)[: 12 * RATE], RATE)
    error = refusal(tmp_path / "short.flac", tmp_path / "out")
    assert (error.exit_code, error.cause) == (10, "too_little_speech")
    assert "20 s" in str(error)


def test_ruined_speech_says_why_it_was_dropped(small_recording: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hot.flac", np.clip(read(small_recording) * 30.0, -1.0, 1.0), RATE)
    error = refusal(tmp_path / "hot.flac", tmp_path / "out")
    assert error.cause == "no_usable_speech"
    assert "clipped" in str(error)


def test_a_recording_that_is_too_long_is_refused(small_recording: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        run(small_recording, tmp_path, replace(DEFAULTS, max_duration_s=10.0))
    assert caught.value.cause == "audio_too_long"


def test_a_damaged_recording_leaves_the_earlier_dataset_alone(small_recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(small_recording, out)
    before = tree(out)
    damaged = tmp_path / "small.flac"
    damaged.write_bytes(small_recording.read_bytes()[:500_000])
    with pytest.raises(DataError) as caught:
        run(damaged, out)
    assert caught.value.cause == "audio_truncated"
    assert tree(out) == before


def test_a_recording_that_changes_while_it_is_read_is_refused(small_recording: Path, tmp_path: Path) -> None:
    audio = tmp_path / "a.flac"
    audio.write_bytes(small_recording.read_bytes())

    def meddle(what: str, done: float, total: float) -> None:
        if what == "cut" and not done > 20.0:
            with open(audio, "r+b") as stream:
                stream.seek(-1, os.SEEK_END)
                stream.write(b"\x00")

    with pytest.raises(DataError) as caught:
        prepare(audio, tmp_path / "m.json", workspace=tmp_path, on_progress=meddle)
    assert caught.value.cause in ("audio_changed_during_run", "audio_undecodable", "audio_truncated")


def test_an_output_that_cannot_be_written_is_a_training_failure(small_recording: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError) as caught:
        run(small_recording, tmp_path / "file")
    assert caught.value.cause == "output_not_writable"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_named_and_leaves_the_old_manifest(small_recording: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        (disk / "manifest.json").write_text("old")
        with pytest.raises(TrainingError) as caught:
            run(small_recording, disk)
        assert caught.value.cause == "disk_full"
        assert (disk / "manifest.json").read_text() == "old"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# --- human speech, memory ---


def test_a_human_recording_keeps_almost_all_of_its_speech(tmp_path: Path) -> None:
    audio = SHARED / "lj" / "lj_recording.flac"
    if not audio.is_file():
        pytest.skip(f"no human recording at {audio}")
    made = run(audio, tmp_path)
    assert 28 <= len(made.entries) <= 40
    assert made.summary["usable_minutes"] > 3.0
    assert made.summary["counts"]["held_out"] >= 3


@pytest.mark.long
def test_memory_does_not_grow_with_the_recording() -> None:
    script = ROOT / "tests" / "benchmarks" / "prepare_long.py"
    peaks = []
    for hours in ("0.02", "0.3"):
        output = subprocess.run(
            [sys.executable, str(script), "--hours", hours], check=True, capture_output=True, text=True
        ).stdout
        peaks.append(json.loads(output)["peak_mib"])
    assert peaks[1] < 600.0
    assert peaks[1] - peaks[0] < 40.0, "17 minutes as float32 at 16 kHz alone would be 61 MiB"


def test_torch_threads_are_left_as_they_were(small_recording: Path, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    run(small_recording, tmp_path)
    assert torch.get_num_threads() == 2
