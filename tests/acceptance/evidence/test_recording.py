"""The recording is refused for exactly what is wrong with it, and looking at it never blocks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from acceptance.evidence.recording import SourceRecording, check_not_lfs_pointer, check_size, decode, find
from acceptance.failure import DataBlocked
from acceptance.objective import Settings
from acceptance.policy import Policy
from trainer.preparation.prepare import prepare

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 12345678\n"


def settings(**changes: object) -> Settings:
    common = {
        "name": "t",
        "audio": "a.wav",
        "manifest": "o/m.json",
        "status": "o/s.json",
        "checkpoint": "o/c.pt",
        "min_audio_bytes": 1000,
    }
    return Settings(**{**common, **changes})


def refusal(call: Callable[[], object]) -> DataBlocked:
    with pytest.raises(DataBlocked) as caught:
        call()
    return caught.value


def source(data: bytes) -> SourceRecording:
    return SourceRecording(path=Path("a.wav"), relative="a.wav", bytes=len(data), sha256="", head=data[:1024])


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda path: None, "audio_missing"),
        (lambda path: path.symlink_to("nowhere"), "audio_missing"),
        (lambda path: path.symlink_to(path.name), "audio_not_regular"),
        (lambda path: path.symlink_to("/etc/hostname"), "audio_not_regular"),
        (lambda path: path.symlink_to("/dev/zero"), "audio_not_regular"),
        (Path.mkdir, "audio_not_regular"),
        (os.mkfifo, "audio_not_regular"),
    ],
)
@pytest.mark.timeout(5)
def test_a_path_that_is_no_file_inside_the_workspace_is_refused(
    tmp_path: Path, make: Callable[[Path], object], cause: str
) -> None:
    make(tmp_path / "a.wav")
    failure = refusal(lambda: find(tmp_path, "a.wav"))
    assert failure.cause == cause
    assert str(tmp_path) not in failure.message


def test_a_link_inside_the_workspace_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.wav").write_bytes(b"x" * 10)
    (tmp_path / "a.wav").symlink_to("real.wav")
    found = find(tmp_path, "a.wav")
    assert (found.bytes, found.sha256, found.relative) == (10, hashlib.sha256(b"x" * 10).hexdigest(), "a.wav")


@given(st.integers(-3, 3))
def test_the_size_must_be_strictly_larger_than_the_minimum(offset: int) -> None:
    recording = source(b"x" * (1000 + offset))
    if offset > 0:
        check_size(recording, settings())
    else:
        assert refusal(lambda: check_size(recording, settings())).cause == "audio_too_small"


@pytest.mark.parametrize(
    "data",
    [
        POINTER,
        POINTER.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + POINTER,
        b"\n " + POINTER,
        POINTER + b" " * 6_000_000,
        POINTER.replace(b"git-lfs", b"hawser", 1),
    ],
    ids=["plain", "CRLF", "byte order mark", "leading blanks", "padded", "older name"],
)
def test_a_pointer_is_recognised_in_every_dress(data: bytes) -> None:
    recording = source(data)
    failure = refusal(lambda: check_not_lfs_pointer(recording))
    assert (failure.cause, failure.evidence["lfs_oid"]) == ("lfs_pointer", "ab" * 32)
    if recording.bytes <= 1000:
        assert refusal(lambda: check_size(recording, settings())).cause == "lfs_pointer"


@given(st.binary(max_size=200))
def test_other_bytes_are_no_pointer(data: bytes) -> None:
    if b"version https://" not in data:
        check_not_lfs_pointer(source(data))


def test_a_recording_is_decoded_to_its_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((16_000, 2), dtype="float32"), 8_000)
    facts = decode(find(tmp_path, "a.wav"), settings())
    assert (facts["duration_s"], facts["sample_rate"], facts["channels"], facts["mix"]) == (2.0, 8_000, 2, None)


def test_preflight_says_the_channels_that_preparation_takes(small_recording: Path, tmp_path: Path) -> None:
    speech, rate = soundfile.read(small_recording, dtype="float32")
    soundfile.write(tmp_path / "a.wav", np.stack([speech, -0.9 * speech], axis=1), rate)
    facts = decode(find(tmp_path, "a.wav"), settings(), Policy())
    made = prepare(tmp_path / "a.wav", tmp_path / "out" / "m.json", workspace=tmp_path)
    assert (
        facts["mix"]
        == "channels 1 and 2 are in opposite phase, their mean would cancel speech; channel 1 of 2 is taken"
    )
    assert made.source.mix == f"{facts['mix']} (a.wav)"
    lenient = replace(Policy(), audio=replace(Policy().audio, max_channel_cancellation=1.0))
    assert decode(find(tmp_path, "a.wav"), settings(), lenient)["mix"] is None


def test_a_streamed_recording_passes_and_a_cut_one_is_named_in_every_container(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    for form in ("WAV", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "MP3"):
        soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(24_000), 24_000, format=form)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
        assert refusal(lambda: decode(find(tmp_path, "a.wav"), settings())).cause == "audio_truncated", form
        if form == "WAV":
            path.write_bytes(data[:40] + b"\xff" * 4 + data[44:])
            assert decode(find(tmp_path, "a.wav"), settings())["duration_s"] == 1.0


def test_a_recording_longer_than_the_limit_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(80_000, dtype="float32"), 8_000)
    failure = refusal(lambda: decode(find(tmp_path, "a.wav"), settings(max_audio_hours=9 / 3600)))
    assert failure.cause == "audio_too_long"


@pytest.mark.parametrize("damage", ["text", "truncated", "flipped"])
def test_a_file_that_does_not_decode_to_its_end_is_refused_without_naming_this_machine(
    tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "a.wav"
    noise = 0.1 * np.random.default_rng(0).standard_normal(48_000)
    soundfile.write(path, noise, 24_000, format="FLAC")
    data = path.read_bytes()
    damaged = {
        "text": b"not audio " * 1000,
        "truncated": data[: len(data) // 2],
        "flipped": data[:20_000] + bytes(2000) + data[22_000:],
    }
    path.write_bytes(damaged[damage])
    failure = refusal(lambda: decode(find(tmp_path, "a.wav"), settings()))
    assert failure.cause in ("audio_undecodable", "audio_truncated")
    assert str(tmp_path) not in failure.message
