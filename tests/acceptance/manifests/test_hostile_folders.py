"""What must not enter a manifest is refused with its name, the problem and the next step; nothing hangs and nothing is followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance import manifests
from acceptance.failure import HarnessError
from tests.acceptance.manifests.clips import tone
from trainer.errors import DataError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3\n"


def copy_of_ok(root: Path, name: str | bytes) -> None:
    data = (root / "ok.flac").read_bytes()
    with open(os.fsencode(root) + b"/" + os.fsencode(name), "wb") as file:
        file.write(data)


def nested(root: Path) -> None:
    deep = root.joinpath(*["d"] * 30)
    deep.mkdir(parents=True)
    tone(deep / "a.flac", 1)


CASES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a FIFO": (lambda root: os.mkfifo(root / "a.wav"), "a.wav", "not a regular file"),
    "a FIFO as text": (lambda root: os.mkfifo(root / "ok.txt"), "ok.txt", "not a regular file"),
    "a folder named like audio": (lambda root: (root / "a.wav").mkdir(), "a.wav", "not a regular file"),
    "a link to a file": (lambda root: (root / "a.flac").symlink_to("ok.flac"), "a.flac", "symbolic link"),
    "a link to nothing": (lambda root: (root / "a.flac").symlink_to("nothing"), "a.flac", "symbolic link"),
    "a link to itself": (lambda root: (root / "a.flac").symlink_to("a.flac"), "a.flac", "symbolic link"),
    "a text elsewhere": (lambda root: (root / "ok.txt").symlink_to("/etc/hostname"), "ok.txt", "symbolic link"),
    "a table elsewhere": (
        lambda root: (root / "metadata.csv").symlink_to("/etc/hostname"),
        "metadata.csv",
        "symbolic link",
    ),
    "a link to a folder": (lambda root: (root / "more").symlink_to("/usr"), "more", "symbolic link"),
    "a link to the folder itself": (lambda root: (root / "more").symlink_to("."), "more", "symbolic link"),
    "case twins": (lambda root: copy_of_ok(root, "OK.flac"), "ok.flac", "'OK.flac'"),
    "accent twins": (
        lambda root: [copy_of_ok(root, name) for name in ("\u00e9.flac", "e\u0301.flac")],
        ".flac",
        "form of accents",
    ),
    "sharp s": (
        lambda root: [copy_of_ok(root, name) for name in ("stra\u00dfe.flac", "STRASSE.flac")],
        ".flac",
        "ignore case",
    ),
    "twins that share a text": (lambda root: copy_of_ok(root, "Ok.wav"), "ok.flac", "same id"),
    "two formats of one id": (lambda root: copy_of_ok(root, "ok.wav"), "ok.wav", "same id"),
    "not UTF-8": (lambda root: copy_of_ok(root, b"\xff.flac"), r"\xff.flac", "not UTF-8"),
    "a backslash": (lambda root: copy_of_ok(root, "x\\..\\a.flac"), "x\\..\\a.flac", "backslash"),
    "a line break": (lambda root: copy_of_ok(root, "a\nb.flac"), r"a\nb.flac", "control character"),
    "an escape sequence": (lambda root: copy_of_ok(root, "\x1b[31m.flac"), r"\x1b[31m.flac", "control character"),
    "a drive": (lambda root: copy_of_ok(root, "c:a.flac"), "c:a.flac", "not relative"),
    "a sign that Windows forbids": (
        lambda root: copy_of_ok(root, "what?.wav"),
        "what?.wav",
        "no possible name on Windows",
    ),
    "a device of Windows": (lambda root: copy_of_ok(root, "CON.wav"), "CON.wav", "no possible name on Windows"),
    "a folder with a dot at its end": (lambda root: (root / "dir.").mkdir(), "dir.", "no possible name on Windows"),
    "a space before the suffix": (lambda root: copy_of_ok(root, "x .wav"), "x .wav", "right before its suffix"),
    "a dot before the suffix": (lambda root: copy_of_ok(root, "x..wav"), "x..wav", "right before its suffix"),
    "too deep": (nested, "d/d/d", "deeper than"),
    "zero bytes": (lambda root: (root / "a.flac").write_bytes(b""), "a.flac", "is empty"),
    "no audio": (lambda root: (root / "a.wav").write_bytes(b"hello"), "a.wav", "no audio format"),
    "no samples": (lambda root: tone(root / "a.wav", 1, seconds=0), "a.wav", "holds no sample"),
    "a cut WAV": (lambda root: os.truncate(tone(root / "a.wav", 1), 1000), "a.wav", "header announces"),
    "an LFS pointer": (lambda root: (root / "a.flac").write_bytes(POINTER), "a.flac", "git lfs pull"),
    "an LFS pointer as text": (lambda root: (root / "ok.txt").write_bytes(POINTER), "ok.txt", "git lfs pull"),
    "an empty text": (lambda root: (root / "ok.txt").write_bytes(b" \n"), "ok.txt", "empty"),
    "a text that is not UTF-8": (lambda root: (root / "ok.txt").write_bytes(b"caf\xe9"), "ok.txt", "not UTF-8"),
    "NUL in a text": (lambda root: (root / "ok.txt").write_bytes(b"a\0"), "ok.txt", "control character"),
    "a giant text": (lambda root: (root / "ok.txt").touch() or os.truncate(root / "ok.txt", 2**27), "ok.txt", "larger"),
    "a row that climbs": (
        lambda root: (root / "metadata.csv").write_text("../x|hi\n"),
        "metadata.csv, line 1",
        "out of the folder",
    ),
    "an absolute row": (
        lambda root: (root / "metadata.csv").write_text("/etc/x|hi\n"),
        "metadata.csv, line 1",
        "not in the folder",
    ),
    "a row without audio": (
        lambda root: (root / "metadata.csv").write_text("nope|hi\n"),
        "metadata.csv, line 1",
        "no audio file",
    ),
    "two rows of one file": (
        lambda root: (root / "metadata.csv").write_text("ok|a\nok.flac|b\n"),
        "metadata.csv, line 2",
        "already",
    ),
    "not JSON": (
        lambda root: (root / "voice_dataset_manifest.json").write_text("{"),
        "voice_dataset_manifest.json",
        "prepare",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_by_name_with_the_next_step(tmp_path: Path, case: str) -> None:
    tone(tmp_path / "ok.flac", 0)
    make, name, problem = CASES[case]
    make(tmp_path)
    with pytest.raises((HarnessError, DataError)) as caught:
        manifests.create(tmp_path)
    message = str(caught.value)
    assert name in message and problem in message and ";" in message
    assert message.isprintable()
    assert not (tmp_path / "clip_manifest.json").exists()


def test_several_problems_are_counted(tmp_path: Path) -> None:
    for name in ("b.wav", "a.wav"):
        os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match=r"a\.wav.*and 1 more"):
        manifests.create(tmp_path)


@pytest.mark.parametrize("name", ["nothing", "empty", "ok.flac/below"])
def test_a_target_without_clips_is_refused(tmp_path: Path, name: str) -> None:
    tone(tmp_path / "ok.flac", 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        manifests.create(tmp_path / name)


def test_a_folder_may_be_named_through_a_link(tmp_path: Path) -> None:
    tone(tmp_path / "runs" / "1" / "ok.flac", 0)
    (tmp_path / "latest").symlink_to("runs/1")
    assert manifests.snapshot(tmp_path / "latest").sha256 == manifests.snapshot(tmp_path / "runs" / "1").sha256


def test_hidden_and_other_files_are_left_alone(tmp_path: Path) -> None:
    tone(tmp_path / "ok.flac", 0)
    before = manifests.snapshot(tmp_path).sha256
    os.mkfifo(tmp_path / ".a.wav")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "README.md").symlink_to("/etc/hostname")
    assert manifests.snapshot(tmp_path).sha256 == before


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    tone(tmp_path / "ok.flac", 0).chmod(0)
    if os.access(tmp_path / "ok.flac", os.R_OK):
        pytest.skip("this user reads every file")
    with pytest.raises(DataError, match=r"ok\.flac: .*ermission"):
        manifests.create(tmp_path)
