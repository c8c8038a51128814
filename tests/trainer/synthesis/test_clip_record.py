"""Clips remember which voice spoke them, and an evaluation does not take them for another's."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acceptance.cli.main import run
from tests.trainer.synthesis import untrained_voice
from trainer.errors import DataError
from trainer.evaluation.evaluate import Source
from trainer.evaluation.prompts import without_texts
from trainer.evaluation.request import spoken_by
from trainer.synthesis import clip_record
from trainer.synthesis.delivery import Delivery


@pytest.fixture
def folder(voice_file: Path, tmp_path: Path) -> Path:
    """Two lines spoken by the voice of `voice_file`."""
    say(voice_file, tmp_path / "spoken", tmp_path / "lines.txt", "One.\nTwo.\n")
    return tmp_path / "spoken"


def say(voice: Path, folder: Path, file: Path, text: str, *more: str) -> None:
    file.write_text(text)
    assert (
        run(["say", "--lines", "--file", str(file), "--checkpoint", str(voice), "--output-dir", str(folder), *more])
        == 0
    )


def clips(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.wav"))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_lines_are_recorded_with_the_checkpoint_that_spoke_them(folder: Path, voice_file: Path) -> None:
    assert clip_record.origin_of(clips(folder)).checkpoint_sha256 == sha256(voice_file)


@pytest.mark.long
def test_the_checkpoint_that_spoke_is_recorded_and_not_the_one_that_replaced_it_meanwhile(
    voice_file: Path, tmp_path: Path
) -> None:
    live = Path(shutil.copy(voice_file, tmp_path / "live.pt"))
    command = [
        sys.executable,
        "-m",
        "acceptance.cli",
        "say",
        "--lines",
        "--checkpoint",
        str(live),
        "--output-dir",
        str(tmp_path / "spoken"),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[3]
    ) as job:
        job.stdin.write(b"One.\n")
        job.stdin.flush()
        wait_for(tmp_path / "spoken" / "0001.wav", job)
        untrained_voice.write(tmp_path / "other.pt", level=1.8).replace(live)
        job.stdin.write(b"Two.\n")
    assert job.returncode == 0
    assert len(clips(tmp_path / "spoken")) == 2
    assert clip_record.origin_of(clips(tmp_path / "spoken")).checkpoint_sha256 == sha256(voice_file)


def wait_for(path: Path, job: subprocess.Popen) -> None:
    while not path.exists():
        assert job.poll() is None, "the job ended"
        time.sleep(0.02)


def test_nothing_is_known_of_clips_without_a_record(folder: Path) -> None:
    (folder / clip_record.NAME).unlink()
    assert clip_record.origin_of(clips(folder)) is None


@pytest.mark.parametrize("content", [b"changed", None])
def test_a_clip_that_is_not_what_was_spoken_is_refused_by_name(folder: Path, content: bytes | None) -> None:
    path = folder / ("0002.wav" if content else "0003.wav")
    path.write_bytes(content or b"added")
    with pytest.raises(DataError, match=path.name) as caught:
        clip_record.origin_of(clips(folder))
    assert caught.value.cause == "artifact_mismatch"


def test_clips_of_two_voices_are_refused(folder: Path, tmp_path: Path) -> None:
    other = untrained_voice.write(tmp_path / "other.pt", level=1.8)
    say(other, folder, tmp_path / "third.txt", "\n\nThree.\n")
    with pytest.raises(DataError, match="two voices"):
        clip_record.origin_of(clips(folder))


def test_how_they_were_spoken_is_recorded(folder: Path, voice_file: Path, tmp_path: Path) -> None:
    plain = clip_record.origin_of(clips(folder)).speaking
    assert plain == clip_record.speaking(Delivery(sample_rate=24_000)) and plain["room_before_s"] > 0.0
    say(voice_file, tmp_path / "high", tmp_path / "lines.txt", "One.\n", "--pitch", "5", "--rate", "1.2", "--seed", "7")
    high = clip_record.origin_of(clips(tmp_path / "high")).speaking
    assert high == plain | {"pitch": 5.0, "rate": 1.2, "seed": 7}


def test_clips_that_were_spoken_differently_are_refused_and_the_difference_is_named(
    folder: Path, voice_file: Path, tmp_path: Path
) -> None:
    say(voice_file, folder, tmp_path / "third.txt", "\n\nThree.\n", "--pitch", "5")
    with pytest.raises(DataError, match=r"spoken differently \(pitch 0 and 5\)") as caught:
        clip_record.origin_of(clips(folder))
    assert caught.value.cause == "artifact_mismatch"


def test_a_record_of_an_earlier_version_says_nothing_of_how_it_was_spoken(folder: Path, voice_file: Path) -> None:
    record = json.loads((folder / clip_record.NAME).read_text())
    for clip in record["clips"].values():
        del clip["speaking"]
    (folder / clip_record.NAME).write_text(json.dumps(record | {"schema": "spoken/1"}))
    found = clip_record.origin_of(clips(folder))
    assert (found.checkpoint_sha256, found.speaking) == (sha256(voice_file), None)


def test_speaking_again_over_them_changes_whose_they_are(folder: Path, tmp_path: Path) -> None:
    other = untrained_voice.write(tmp_path / "other.pt", level=1.8)
    say(other, folder, tmp_path / "again.txt", "One.\nTwo.\n", "--overwrite")
    assert clip_record.origin_of(clips(folder)).checkpoint_sha256 == sha256(other)


def test_an_evaluation_knows_the_checkpoint_and_refuses_another(folder: Path, voice_file: Path) -> None:
    items = without_texts(folder)
    assert spoken_by(items, Source(), None).checkpoint_sha256 == sha256(voice_file)
    with pytest.raises(DataError, match="did not speak these clips") as caught:
        spoken_by(items, Source(checkpoint_sha256="0" * 64), Path("other.pt"))
    assert caught.value.cause == "artifact_mismatch"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"schema": "spoken/3", "clips": {}}', b'{"schema": "spoken/1", "clips": {"0001.wav": 1}}']
)
def test_a_damaged_record_is_an_error_and_not_silence(folder: Path, content: bytes) -> None:
    (folder / clip_record.NAME).write_bytes(content)
    with pytest.raises(DataError, match=clip_record.NAME):
        clip_record.origin_of(clips(folder))
