"""The manifest: canonical bytes, strict reading, and agreement with its published schema."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from trainer.dataset import manifest
from trainer.errors import DataError

SCHEMA = json.loads((Path(manifest.__file__).parent / "voice_dataset.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def document(small_manifest: Path) -> dict[str, Any]:
    return json.loads(small_manifest.read_bytes())


def store(tmp_path: Path, content: dict[str, Any] | str | bytes) -> Path:
    path = tmp_path / "manifest.json"
    text = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        manifest.load(path)
    assert caught.value.cause == "manifest_invalid"
    return str(caught.value)


def test_loading_and_dumping_gives_the_same_bytes(small_manifest: Path) -> None:
    assert manifest.dumps(manifest.load(small_manifest)) == small_manifest.read_bytes()


def test_bytes_are_canonical(small_manifest: Path) -> None:
    content = small_manifest.read_bytes()
    expected = json.dumps(json.loads(content), sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert content == expected.encode()


def test_a_real_manifest_follows_the_published_schema(document: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_it_names_no_absolute_path_and_no_time(small_manifest: Path, document: dict[str, Any]) -> None:
    text = small_manifest.read_text(encoding="utf-8")
    assert str(small_manifest.parent) not in text
    assert not {"timestamp", "created", "date"} & document.keys()
    assert not any(entry["path"].startswith("/") for entry in document["entries"])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"channels": 1', '"channels": true', "not a whole number"),
        ('"channels": 1', '"channels": 1.0', "not a whole number"),
        ('"channels": 1', '"channels": "1"', "not a whole number"),
        ('"channels": 1', '"channels": 1, "channels": 1', "duplicate key"),
        ('"channels": 1', '"channels": 1, "extra": 1', "unknown"),
        ('"channels": 1,', "", "missing"),
        ('"clipping": 0.0', '"clipping": NaN', "NaN"),
        ('"clipping": 0.0', '"clipping": Infinity', "Infinity"),
        ('"clipping": 0.0', '"clipping": 1e999', "1e999"),
        ('"clipping": 0.0', '"clipping": false', "not a number"),
        ('"clipping": 0.0', '"clipping": 7.5', "not a share"),
        ('"schema": "voice_dataset/2"', '"schema": "voice_dataset/1"', "schema"),
        ('"split": "held_out"', '"split": "train"', "both splits"),
        ('"transcript": ""', '"transcript": "planted"', "transcript_sha256"),
        ('"transcript_source": "none"', '"transcript_source": "guess"', "no possible value"),
        ('"utt_00001.flac"', '"../../utt_00001.flac"', None),
    ],
)
def test_anything_that_is_not_strict_is_refused(
    small_manifest: Path, tmp_path: Path, old: str, new: str, problem: str | None
) -> None:
    content = small_manifest.read_text(encoding="utf-8")
    if problem is None:
        old, new, problem = "utterances-", "../utterances-", "not inside"
    assert old in content
    assert problem in refusal(store(tmp_path, content.replace(old, new)))


def overlap(document: dict[str, Any]) -> None:
    first, second = document["entries"][:2]
    second["start_s"] = first["start_s"] + 0.5
    second["end_s"] = second["start_s"] + second["duration_s"]


def swapped(document: dict[str, Any]) -> None:
    document["entries"][:2] = reversed(document["entries"][:2])


def repeated_id(document: dict[str, Any]) -> None:
    document["entries"][1]["id"] = document["entries"][0]["id"]


def beyond_the_end(document: dict[str, Any]) -> None:
    document["source"]["duration_s"] = document["entries"][-1]["end_s"] - 1.0


def boasting(document: dict[str, Any]) -> None:
    document["summary"]["usable_minutes"] += 10.0


def counting_wrong(document: dict[str, Any]) -> None:
    document["summary"]["counts"]["train"] = True


def emptied(document: dict[str, Any]) -> None:
    document["entries"] = []


def wrong_digest(document: dict[str, Any]) -> None:
    document["source"]["sha256"] = document["source"]["sha256"].upper()


def other_duration(document: dict[str, Any]) -> None:
    document["entries"][0]["duration_s"] += 0.5


@pytest.mark.parametrize(
    "change",
    [overlap, swapped, repeated_id, beyond_the_end, boasting, counting_wrong, emptied, wrong_digest, other_duration],
)
def test_a_manifest_that_contradicts_itself_is_refused(
    document: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    change(document)
    refusal(store(tmp_path, document))


def test_a_number_without_an_end_is_refused(small_manifest: Path, tmp_path: Path) -> None:
    content = small_manifest.read_text(encoding="utf-8")
    assert "not a finite number" in refusal(store(tmp_path, content.replace('"bytes": ', '"bytes": ' + "9" * 1000, 1)))


def test_deep_nesting_in_any_field_is_refused(small_manifest: Path, tmp_path: Path) -> None:
    content = small_manifest.read_text(encoding="utf-8")
    for levels in (70, 600, 990):
        nested = content.replace('"channels": 1', f'"channels": {"[" * levels}1{"]" * levels}')
        assert "nested deeper" in refusal(store(tmp_path, nested))


def test_a_manifest_over_its_limit_is_refused_unread(small_manifest: Path, tmp_path: Path) -> None:
    content = small_manifest.read_bytes()
    assert "larger than 16777216 bytes" in refusal(store(tmp_path, content + b" " * (16 * 2**20 + 1 - len(content))))
    assert manifest.load(store(tmp_path, content + b" " * (16 * 2**20 - len(content)))).entries


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "{", '{"schema": "voice_dataset/2"}', "[" * 100_000, b"\xff\xfe"]
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: str | bytes) -> None:
    refusal(store(tmp_path, content))


def test_a_linked_manifest_is_refused(small_manifest: Path, tmp_path: Path) -> None:
    link = tmp_path / "manifest.json"
    link.symlink_to(small_manifest)
    refusal(link)


def test_a_missing_manifest_and_a_fifo_are_refused(tmp_path: Path) -> None:
    refusal(tmp_path / "none.json")
    os.mkfifo(tmp_path / "fifo.json")
    refusal(tmp_path / "fifo.json")


@pytest.fixture
def copied(small_manifest: Path, tmp_path: Path) -> tuple[manifest.Manifest, Path]:
    """A manifest and a copy of its clips that may be damaged."""
    loaded = manifest.load(small_manifest)
    for entry in loaded.entries:
        target = tmp_path / entry.path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((small_manifest.parent / entry.path).read_bytes())
    return loaded, tmp_path


def test_untouched_clips_verify(copied: tuple[manifest.Manifest, Path]) -> None:
    manifest.verify_clips(*copied)


@pytest.mark.parametrize("place", ["absolute", "relative"])
def test_a_folder_of_clips_that_is_a_link_is_not_followed(
    copied: tuple[manifest.Manifest, Path], tmp_path_factory: pytest.TempPathFactory, place: str
) -> None:
    loaded, directory = copied
    folder = directory / Path(loaded.entries[0].path).parent
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "clips"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere if place == "absolute" else os.path.relpath(elsewhere, directory))
    with pytest.raises(DataError, match="is a symbolic link") as caught:
        manifest.verify_clips(loaded, directory)
    assert caught.value.cause == "manifest_invalid"


@pytest.mark.parametrize("damage", ["flip", "remove", "link", "fifo", "sparse"])
def test_a_clip_that_is_not_the_promised_file_is_refused(copied: tuple[manifest.Manifest, Path], damage: str) -> None:
    loaded, directory = copied
    victim = directory / loaded.entries[-1].path
    content = victim.read_bytes()
    victim.unlink()
    if damage == "flip":
        victim.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "link":
        (directory / "elsewhere").write_bytes(content)
        victim.symlink_to(directory / "elsewhere")
    elif damage == "fifo":
        os.mkfifo(victim)
    elif damage == "sparse":
        victim.write_bytes(content)
        os.truncate(victim, 2**40)
    with pytest.raises(DataError) as caught:
        manifest.verify_clips(loaded, directory)
    assert caught.value.cause == "manifest_invalid"


def test_summary_counts_what_is_there(document: dict[str, Any]) -> None:
    summary, entries = document["summary"], document["entries"]
    assert summary["usable_minutes"] == pytest.approx(sum(entry["duration_s"] for entry in entries) / 60.0, abs=1e-4)
    assert summary["counts"]["train"] + summary["counts"]["held_out"] == len(entries)
    assert sum(summary["distributions"]["duration_histogram"].values()) == len(entries)
