"""A manifest says what lies in a folder, and the same folder gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from acceptance import manifests
from acceptance.failure import HarnessError
from acceptance.manifests import hashing
from acceptance.manifests.dataset import Layout
from tests.acceptance.manifests.clips import TEXTS, flip, tone, with_sidecars, with_table
from trainer.dataset.clip_listing import Identity


def test_every_clip_is_described(tmp_path: Path) -> None:
    folder = with_sidecars(tmp_path / "a")
    dataset = manifests.create(folder)
    assert [item.id for item in dataset.items] == sorted(TEXTS)
    item = dataset.items[1]
    data = (folder / "b.flac").read_bytes()
    assert (item.path, item.bytes, item.sha256) == ("b.flac", len(data), hashlib.sha256(data).hexdigest())
    assert (item.duration_s, item.sample_rate, item.channels, item.format, item.subtype) == (
        0.1,
        16_000,
        1,
        "FLAC",
        "PCM_16",
    )
    assert (item.transcript, item.transcript_source) == ("Two blue cars.", "sidecar")
    assert item.transcript_sha256 == hashlib.sha256(b"Two blue cars.").hexdigest()


def test_what_is_loaded_is_what_was_written(tmp_path: Path) -> None:
    written = manifests.create(with_sidecars(tmp_path / "a"))
    assert manifests.load(written.path) == written
    assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("make", [with_sidecars, with_table])
def test_the_same_folder_elsewhere_gives_the_same_bytes(tmp_path: Path, make) -> None:
    first, second = (
        manifests.create(make(tmp_path / name), threads=threads) for name, threads in (("one", 1), ("two/x", 3))
    )
    assert first.path.read_bytes() == second.path.read_bytes()
    assert str(tmp_path) not in first.path.read_text(encoding="utf-8")


def test_identical_transcripts_and_identical_audio_stand_out(tmp_path: Path) -> None:
    folder = with_sidecars(tmp_path / "a")
    shutil.copy(folder / "b.flac", folder / "e.flac")
    summary = json.loads(manifests.create(folder).path.read_bytes())["summary"]
    assert summary["identical_transcripts"] == [{"transcript": "One red car.", "ids": ["a", "d"]}]
    assert [group["ids"] for group in summary["identical_audio"]] == [["b", "e"]]
    assert summary["without_transcript"] == 1 and summary["sample_rates"] == {"16000": 5}


def test_the_largest_group_of_identical_transcripts_comes_first(tmp_path: Path) -> None:
    for seed, (name, text) in enumerate({"a": "One.", "b": "One.", "c": "Two.", "d": "Two.", "e": "Two."}.items()):
        tone(tmp_path / f"{name}.flac", seed)
        (tmp_path / f"{name}.txt").write_text(text)
    summary = json.loads(manifests.create(tmp_path).path.read_bytes())["summary"]
    assert [group["ids"] for group in summary["identical_transcripts"]] == [["c", "d", "e"], ["a", "b"]]


def test_a_table_decides_which_files_are_clips(tmp_path: Path) -> None:
    folder = with_table(tmp_path / "a")
    tone(folder / "whole_recording.wav", 9)
    dataset = manifests.create(folder)
    assert [item.path for item in dataset.items] == [f"clips/{name}.flac" for name in sorted(TEXTS)]
    assert dataset.unlisted == ("whole_recording.wav",)
    assert manifests.verify(dataset, folder) == ()
    assert manifests.snapshot(folder / "clips").sha256 == dataset.sha256


def test_folders_in_a_folder_are_part_of_the_id(tmp_path: Path) -> None:
    folder = with_sidecars(tmp_path / "a")
    with_sidecars(folder / "more")
    assert {"a", "more/a"} <= {item.id for item in manifests.create(folder).items}


def test_a_recording_has_a_manifest_of_its_own(tmp_path: Path) -> None:
    folder = with_sidecars(tmp_path)
    dataset = manifests.create(folder / "a.flac")
    assert dataset.path.name == "a.flac.clip_manifest.json"
    assert dataset.layout is Layout.RECORDING and [item.transcript for item in dataset.items] == ["One red car."]
    assert manifests.verify(dataset, folder) == ()


@pytest.fixture
def prepared(small_manifest: Path, tmp_path: Path) -> Path:
    """A preparation's output."""
    folder = tmp_path / "prepared"
    shutil.copytree(small_manifest.parent, folder)
    (folder / small_manifest.name).rename(folder / "voice_dataset_manifest.json")
    return folder


def test_a_prepared_run_keeps_its_ids_texts_and_splits(prepared: Path) -> None:
    dataset, source = manifests.create(prepared), manifests.load(prepared / "voice_dataset_manifest.json")
    assert dataset.layout is Layout.PREPARED
    assert not manifests.compare(source, dataset).changes
    assert {item.split for item in dataset.items} == {"train", "held_out"}
    assert manifests.verify(dataset, prepared) == () and manifests.verify(source, prepared) == ()


def test_the_hash_of_a_preparation_is_that_of_its_manifest(prepared: Path) -> None:
    path = prepared / "voice_dataset_manifest.json"
    assert manifests.load(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_prepared_run_that_is_not_what_it_says_gets_no_manifest(prepared: Path) -> None:
    first = manifests.load(prepared / "voice_dataset_manifest.json").items[0]
    flip(prepared / first.path)
    with pytest.raises(HarnessError, match=first.path):
        manifests.create(prepared)
    assert [
        fault.path for fault in manifests.verify(manifests.load(prepared / "voice_dataset_manifest.json"), prepared)
    ] == [first.path]


@pytest.mark.parametrize("name", ["a.flac", "a.txt", "metadata.csv", "voice_dataset_manifest.json"])
def test_a_manifest_never_replaces_a_part_of_the_dataset(tmp_path: Path, name: str) -> None:
    folder = with_sidecars(tmp_path)
    before = (folder / "a.flac").read_bytes(), (folder / "a.txt").read_bytes()
    with pytest.raises(HarnessError, match=name):
        manifests.create(folder, folder / name)
    assert ((folder / "a.flac").read_bytes(), (folder / "a.txt").read_bytes()) == before


def test_a_file_that_changes_between_hash_and_header_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, read_header = with_sidecars(tmp_path), hashing._header

    def meddling(path: Path, descriptor: int) -> hashing.Header:
        times = path.stat().st_atime_ns, path.stat().st_mtime_ns
        flip(path)
        os.utime(path, ns=times)  # what hides a change from a look at size and time of modification
        return read_header(path, descriptor)

    monkeypatch.setattr(hashing, "_header", meddling)
    with pytest.raises(HarnessError, match=r"a\.flac: changed while it was read") as caught:
        manifests.create(folder)
    assert caught.value.cause == "audio_changed_during_run"


@pytest.mark.parametrize("change", ["flip", "remove", "add", "text"])
def test_a_folder_that_changes_after_its_first_file_was_hashed_is_refused(tmp_path: Path, change: str) -> None:
    folder, heard = with_sidecars(tmp_path), []

    def meddle(more: int, total: int) -> None:
        if not heard:
            {"flip": lambda: flip(folder / "a.flac"), "remove": (folder / "a.flac").unlink,
             "add": lambda: tone(folder / "z.flac", 9), "text": lambda: (folder / "a.txt").write_text("Other.")}[change]()  # fmt: skip
        heard.append(more)

    with pytest.raises(HarnessError) as caught:
        manifests.create(folder, on_progress=meddle, threads=1)
    assert caught.value.cause in ("audio_changed_during_run", "audio_unreadable")
    assert not (folder / "clip_manifest.json").exists()


def test_a_file_that_changes_while_it_is_half_read_is_refused(tmp_path: Path) -> None:
    clip, heard = tone(tmp_path / "a.wav", 0, seconds=80), []
    assert clip.stat().st_size > 2**21

    def meddle(more: int, total: int) -> None:
        if not heard:
            times = clip.stat().st_atime_ns, clip.stat().st_mtime_ns
            with open(clip, "r+b") as file:
                file.seek(-10, os.SEEK_END)
                file.write(b"x")
            os.utime(clip, ns=times)
        heard.append(more)

    with pytest.raises(HarnessError, match=r"a\.wav: changed while it was read"):
        manifests.create(tmp_path, on_progress=meddle)
    assert len(heard) > 1


def test_large_files_are_hashed_in_blocks(tmp_path: Path) -> None:
    sizes = {"a.wav": 3 * 2**20 + 1, "b/c.wav": 2**20, "b/d.wav": 5}
    files = {}
    for name, size in sizes.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(os.urandom(size))
        files[name] = Identity.of((tmp_path / name).stat())
    heard: list[int] = []
    contents = hashing.read_all(tmp_path, files, headers=False, threads=2, on_bytes=heard.append)
    assert {name: content.sha256 for name, content in contents.items()} == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in sizes
    }
    assert sum(heard) == sum(sizes.values())


def test_two_thousand_clips_take_seconds(tmp_path: Path) -> None:
    template = tone(tmp_path / "template.flac", 0, seconds=0.05).read_bytes()
    folder = tmp_path / "clips_of_all"
    folder.mkdir()
    for index in range(2_000):
        (folder / f"{index:05d}.flac").write_bytes(template)
        (folder / f"{index:05d}.txt").write_text(f"Clip number {index}.")
    began = time.process_time()
    dataset = manifests.create(folder)
    assert manifests.load(dataset.path) == dataset and manifests.verify(dataset, folder) == ()
    assert len(dataset.items) == 2_000
    assert time.process_time() - began < 8  # 1.0 s of a free core's time; 10,000 clips are five times that
