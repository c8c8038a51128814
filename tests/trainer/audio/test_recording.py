"""Decoding: every supported format gives its samples; every kind of damage gives its cause."""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from trainer.audio import recording
from trainer.errors import DataError

RATE = 22_050
SECONDS = 20
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 5804117\n"


def noise(seconds: float = SECONDS, rate: int = RATE, channels: int = 1) -> np.ndarray:
    generator = np.random.default_rng(0)
    return (0.1 * generator.standard_normal((round(seconds * rate), channels))).astype(np.float32)


def write(path: Path, *, rate: int = RATE, channels: int = 1, **options: str) -> Path:
    soundfile.write(path, noise(rate=rate, channels=channels), rate, **options)
    return path


def decode(path: Path) -> np.ndarray:
    return np.concatenate(list(recording.blocks(recording.inspect(path))))


def patch(path: Path, offset: int, data: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)


def data_size_offset(path: Path) -> int:
    return path.read_bytes().find(b"data") + 4


@pytest.mark.parametrize(
    ("name", "rate", "channels", "options"),
    [
        ("mono.flac", 22_050, 1, {}),
        ("stereo.flac", 44_100, 2, {}),
        ("six.wav", 48_000, 6, {"subtype": "PCM_24"}),
        ("telephone.wav", 8_000, 1, {"subtype": "ULAW"}),
        ("studio.flac", 192_000, 2, {"subtype": "PCM_24"}),
        ("float.wav", 22_050, 1, {"subtype": "FLOAT"}),
        ("vorbis.ogg", 22_050, 2, {}),
        ("opus.opus", 48_000, 1, {"format": "OGG", "subtype": "OPUS"}),
        ("layer3.mp3", 44_100, 2, {}),
    ],
)
def test_every_format_decodes_to_its_announced_length(
    tmp_path: Path, name: str, rate: int, channels: int, options: dict[str, str]
) -> None:
    path = write(tmp_path / name, rate=rate, channels=channels, **options)
    found = recording.inspect(path)
    assert (found.sample_rate, found.channels) == (rate, channels)
    assert decode(path).shape == (SECONDS * rate, channels)


def test_lossless_samples_come_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "exact.flac"
    samples = np.random.default_rng(1).integers(-32_768, 32_767, (200_000, 2)).astype(np.int16)
    soundfile.write(path, samples, RATE)
    assert np.array_equal(decode(path), samples.astype(np.float32) / 32_768.0)


def test_mono_is_the_mean_of_the_channels() -> None:
    assert recording.mono(np.array([[0.5, 0.25], [-1.0, 1.0]], np.float32)).tolist() == [0.375, 0.0]


def test_digest_is_that_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac")
    assert recording.inspect(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_flac_that_announces_no_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "streamed.flac")
    patch(path, 21, bytes([path.read_bytes()[21] & 0xF0, 0, 0, 0, 0]))  # total samples = 0: unknown (RFC 9639)
    assert recording.inspect(path).announced_s == 0.0
    assert len(decode(path)) == SECONDS * RATE


def test_an_id3_tag_behind_the_audio_is_no_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "tagged.flac")
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    assert len(decode(path)) == SECONDS * RATE


# --- damage ---


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 6 // 10)


def flipped(path: Path) -> None:
    middle = path.stat().st_size // 2
    patch(path, middle, bytes([path.read_bytes()[middle] ^ 0x10]))


def zeroed(path: Path) -> None:
    patch(path, path.stat().st_size // 2, bytes(20_000))


def announce(frames_or_bytes: int, *, flac: bool = False) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        offset, order = (22, ">I") if flac else (data_size_offset(path), "<I")
        patch(path, offset, struct.pack(order, frames_or_bytes))

    return damage


def with_bad_sample(value: float) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        samples = noise()
        samples[12_345] = value
        soundfile.write(path, samples, RATE, subtype="FLOAT")

    return damage


def header_field(offset: int, data: bytes) -> Callable[[Path], None]:
    return lambda path: patch(path, offset, data)


def replaced(content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(content)

    return damage


LFS = POINTER.format(digest="ab" * 32).encode()
DAMAGE = [
    ("flac_truncated", "a.flac", truncated, "audio_truncated"),
    ("wav_truncated", "a.wav", truncated, "audio_truncated"),
    ("ogg_truncated", "a.ogg", truncated, "audio_truncated"),
    ("mp3_truncated", "a.mp3", truncated, "audio_truncated"),
    ("flac_bit_flip", "a.flac", flipped, "audio_undecodable"),
    ("flac_zeroed", "a.flac", zeroed, "audio_undecodable"),
    ("ogg_zeroed", "a.ogg", zeroed, "audio_undecodable"),
    ("mp3_zeroed", "a.mp3", zeroed, "audio_undecodable"),
    ("wav_says_4_gib", "a.wav", announce(0xFFFFFFF0), "audio_truncated"),
    ("wav_says_five_times", "a.wav", announce(5 * 2 * SECONDS * RATE), "audio_truncated"),
    ("wav_says_too_little", "a.wav", announce(1000), "audio_truncated"),
    ("flac_says_too_much", "a.flac", announce(9 * SECONDS * RATE, flac=True), "audio_truncated"),
    ("flac_says_too_little", "a.flac", announce(SECONDS * RATE // 3, flac=True), "audio_undecodable"),
    ("wav_no_channel", "a.wav", header_field(22, bytes(2)), "audio_undecodable"),
    ("wav_rate_0", "a.wav", header_field(24, bytes(4)), "audio_undecodable"),
    ("wav_rate_4000", "a.wav", header_field(24, struct.pack("<I", 4000)), "audio_undecodable"),
    ("wav_nan", "a.wav", with_bad_sample(float("nan")), "audio_undecodable"),
    ("wav_infinite", "a.wav", with_bad_sample(float("-inf")), "audio_undecodable"),
    ("empty", "a.flac", replaced(b""), "audio_undecodable"),
    ("text", "a.flac", replaced(b"not audio at all\n" * 400), "audio_undecodable"),
    ("pointer", "a.flac", replaced(LFS), "lfs_pointer"),
    ("pointer_crlf", "a.flac", replaced(LFS.replace(b"\n", b"\r\n")), "lfs_pointer"),
    ("pointer_bom", "a.flac", replaced(b"\xef\xbb\xbf" + LFS), "lfs_pointer"),
    ("pointer_padded", "a.flac", replaced(LFS + bytes(5_100_000)), "lfs_pointer"),
]


@pytest.mark.parametrize(("name", "damage", "cause"), [row[1:] for row in DAMAGE], ids=[row[0] for row in DAMAGE])
def test_damage_is_refused_with_its_cause(
    tmp_path: Path, name: str, damage: Callable[[Path], None], cause: str
) -> None:
    path = write(tmp_path / name)
    damage(path)
    with pytest.raises(DataError) as caught:
        decode(path)
    assert caught.value.cause == cause
    assert caught.value.exit_code == 10
    assert str(caught.value).startswith(f"{path}: ")
    assert "; " in str(caught.value), "the message must name the next step"
    assert "\n" not in str(caught.value)


def test_an_mp3_whose_length_is_guessed_too_long_is_read_to_its_end(tmp_path: Path) -> None:
    path, samples = tmp_path / "a.mp3", noise(60.0)
    samples[: 30 * RATE] *= 0.0  # the guess comes from the first frames: half silence, half noise mislead it
    with soundfile.SoundFile(path, "w", RATE, 1, bitrate_mode="VARIABLE", compression_level=0.5) as stream:
        stream.write(samples)
    content = path.read_bytes()
    path.write_bytes(content[content.find(content[:2], 100) :])  # without the first frame, which holds the index
    assert 60.0 <= recording.inspect(path).announced_s < 60.2
    assert 60 * RATE <= len(decode(path)) < 60.2 * RATE


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_flac_is_never_shortened_in_silence(tmp_path: Path, seed: int) -> None:
    path = write(tmp_path / "a.flac")
    generator = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    content[int(generator.integers(9_000, len(content)))] ^= 1 << int(generator.integers(8))
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"damaged|ends"):
        decode(path)


def test_the_pointer_message_names_its_object(tmp_path: Path) -> None:
    path = tmp_path / "pointer.flac"
    path.write_bytes(LFS)
    with pytest.raises(DataError, match="sha256:abab"):
        recording.inspect(path)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [fifo, directory, loop])
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "a.flac"
    make(path)
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        recording.inspect(path)
    assert caught.value.cause == "audio_not_regular"
    assert time.monotonic() - start < 1.0


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.flac") as caught:
        recording.inspect(tmp_path / "gone.flac")
    assert caught.value.cause == "audio_missing"


# --- excerpts ---


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[recording.Recording, np.ndarray]:
    path = tmp_path_factory.mktemp("counted") / "counted.wav"
    samples = (np.arange(300_000) % 30_011).astype(np.int16)
    soundfile.write(path, samples, RATE)
    return recording.inspect(path), samples.astype(np.float32) / 32_768.0


@given(boundaries=st.lists(st.integers(0, 300_000), min_size=2, max_size=12, unique=True))
def test_excerpts_are_the_samples_of_their_spans(
    counted: tuple[recording.Recording, np.ndarray], boundaries: list[int]
) -> None:
    audio, samples = counted
    ordered = sorted(boundaries)
    spans = list(zip(ordered[::2], ordered[1::2], strict=False))
    taken = list(recording.excerpts(audio, spans))
    assert len(taken) == len(spans)
    assert spans and all(
        np.array_equal(part[:, 0], samples[start:end]) for part, (start, end) in zip(taken, spans, strict=True)
    )


def test_a_recording_that_shrank_between_the_readings_is_noticed(
    counted: tuple[recording.Recording, np.ndarray],
) -> None:
    audio, _ = counted
    with pytest.raises(DataError) as caught:
        list(recording.excerpts(audio, [(0, 10), (299_000, 300_001)]))
    assert caught.value.cause == "audio_changed_during_run"
