"""A cut copy is refused in every container, and a file whose writer could not know its size is read to its end."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.audio import recording
from trainer.audio.container_format import UNCHECKED, layout
from trainer.errors import DataError
from trainer.files.byte_source import MemoryBytes, View

RATE = 24_000
NOISE = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
CONTAINERS = [
    ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_U8"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("WAV", "GSM610"), ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"), ("RF64", "FLOAT"), ("W64", "PCM_16"), ("W64", "MS_ADPCM"), ("AIFF", "PCM_16"), ("AIFF", "ULAW"), ("AIFF", "FLOAT"),
    ("AU", "PCM_16"), ("AU", "FLOAT"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("SVX", "PCM_16"), ("NIST", "PCM_16"), ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"),
]  # fmt: skip
"""All that libsndfile writes of what people record in, with one subtype of each kind."""


def made(path: Path, form: str, subtype: str | None = None, samples: np.ndarray = NOISE, **options: str) -> bytes:
    soundfile.write(path, samples, RATE, format=form, subtype=subtype, **options)
    return path.read_bytes()


def decoded(path: Path, data: bytes | None = None) -> np.ndarray:
    if data is not None:
        path.write_bytes(data)
    return np.concatenate(list(recording.blocks(recording.inspect(path))))


def refusal(path: Path, data: bytes) -> DataError:
    with pytest.raises(DataError) as caught:
        decoded(path, data)
    assert str(caught.value).startswith(f"{path}: ") and "; " in str(caught.value)
    return caught.value


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[Path, bytes, np.ndarray]]:
    """Path, bytes and samples of each container."""
    folder = tmp_path_factory.mktemp("containers")
    files = {}
    for form, subtype in CONTAINERS:
        path = folder / f"{form}_{subtype}"
        data = made(path, form, subtype)
        files[form, subtype] = (path, data, decoded(path))
    return files


@pytest.mark.parametrize("kind", CONTAINERS, ids="_".join)
@settings(max_examples=12, deadline=None)
@given(cut=st.one_of(st.integers(1, 400), st.floats(0.0, 1.0, exclude_min=True)))
def test_a_cut_file_is_refused_or_nothing_of_it_is_lost(whole: dict, kind: tuple[str, str], cut: float) -> None:
    path, data, samples = whole[kind]
    lost = max(1, round(cut * len(data))) if isinstance(cut, float) else min(cut, len(data))
    path.write_bytes(data[: len(data) - lost])
    with contextlib.suppress(DataError):
        assert np.array_equal(decoded(path)[:RATE], samples[:RATE])


@pytest.mark.parametrize("kind", CONTAINERS, ids="_".join)
def test_a_file_without_its_last_third_is_named_as_cut(whole: dict, kind: tuple[str, str]) -> None:
    path, data, _ = whole[kind]
    assert refusal(path, data[: len(data) * 2 // 3]).cause == "audio_truncated" or kind[0] == "OGG"


def test_formats_in_which_a_cut_cannot_be_told_are_refused_by_name(tmp_path: Path) -> None:
    tried = 0
    for form in UNCHECKED & soundfile.available_formats().keys():
        try:
            data = made(tmp_path / "a", form, soundfile.default_subtype(form))
        except (soundfile.LibsndfileError, ValueError, TypeError):
            continue
        tried += 1
        assert form in str(refusal(tmp_path / "a", data)) or form == "SD2"
    assert tried >= 8


# --- sizes that mean "not known" ---


def wav_sizes(size: int, riff: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        at = data.index(b"data") + 4
        data = data[:at] + struct.pack("<I", size) + data[at + 4 :]
        return data[:4] + struct.pack("<I", riff) + data[8:]

    return change


LENGTH = 2 * RATE
STREAMED = [
    ("ffmpeg", 0xFFFFFFFF, 0xFFFFFFFF), ("SoX, espeak-ng", 0x7FFFF000, 0x7FFFF024), ("older SoX", 0x7FFFF000 - 36, 0x7FFFF000),
    ("arecord", 0x80000000, 0x80000024), ("lame", 0xFFFFFFFF - 36, 0xFFFFFFFF), ("whole frames", 0xFFFFFFFE, 0xFFFFFFFF),
    ("of 2 GiB", 0x7FFFFFFF, 0x7FFFFFFF), ("of 2 GiB less the header", 0x7FFFFFFF - 36, 0x7FFFFFFF), ("GStreamer", 0x7FFF0000, 0x7FFF0024),
    ("switched off", 0, 0), ("switched off, header written", 0, 36), ("riff alone unknown", LENGTH, 0xFFFFFFFF), ("riff 0", LENGTH, 0),
]  # fmt: skip


@pytest.mark.parametrize(("size", "riff"), [row[1:] for row in STREAMED], ids=[row[0] for row in STREAMED])
def test_a_wav_written_through_a_pipe_is_read_to_its_end(tmp_path: Path, size: int, riff: int) -> None:
    path = tmp_path / "a.wav"
    data = made(path, "WAV", "PCM_16")
    samples = decoded(path)
    assert np.array_equal(decoded(path, wav_sizes(size, riff)(data)), samples)
    # An odd byte is half a sample, and a tag is no sound.
    assert np.array_equal(decoded(path, wav_sizes(size, riff)(data) + b"\1"), samples)
    assert np.array_equal(decoded(path, wav_sizes(size, riff)(data) + b"TAG" + bytes(125)), samples)


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT", "IMA_ADPCM", "ULAW"])
def test_a_streamed_wav_of_any_encoding_is_read_to_its_end(tmp_path: Path, subtype: str) -> None:
    data = made(tmp_path / "a.wav", "WAV", subtype)
    samples = decoded(tmp_path / "a.wav")
    for size in (0xFFFFFFFF, 0):
        assert np.array_equal(decoded(tmp_path / "a.wav", wav_sizes(size, size)(data)), samples)


@pytest.mark.parametrize("size", [LENGTH + 2, 2 * LENGTH, 0x7FFFFFF0, 0xFFFFFFB8, 3_000_000_000])
def test_an_honest_size_beyond_the_end_of_the_file_is_truncated(tmp_path: Path, size: int) -> None:
    data = made(tmp_path / "a.wav", "WAV", "PCM_16")
    error = refusal(tmp_path / "a.wav", wav_sizes(size, size + 36)(data))
    assert error.cause == "audio_truncated" and f"{size} bytes" in str(error) and f"only {LENGTH} " in str(error)


def patched(sign: bytes, offset: int, order: str, *values: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        at = data.index(sign) + offset
        new = struct.pack(order, *values)
        return data[:at] + new + data[at + len(new) :]

    return change


UNKNOWN = [
    *[("AU", patched(b".snd", 8, ">I", value)) for value in (0xFFFFFFFF, 0, 0x7FFFFFFF)],
    *[("CAF", patched(b"data", 4, ">Q", value)) for value in (2**64 - 1, 0)],
    *[("W64", patched(b"data", 16, "<Q", value)) for value in (0, 24, 2**63 - 1, 2**64 - 1)],
    *[("RF64", patched(b"ds64", 8, "<QQ", value, value)) for value in (0, 2**64 - 1, 2**63 - 1)],
    *[("AIFF", patched(b"SSND", 4, ">I", value)) for value in (0, 8, 0x7F000008, 0xFFFFFFFF)],
]


@pytest.mark.parametrize(("form", "change"), UNKNOWN, ids=[f"{row[0]}-{number}" for number, row in enumerate(UNKNOWN)])
def test_other_containers_of_unknown_size_are_read_to_their_end(
    tmp_path: Path, form: str, change: Callable[[bytes], bytes]
) -> None:
    data = made(tmp_path / "a", form, "PCM_16")
    samples = decoded(tmp_path / "a")
    assert np.array_equal(decoded(tmp_path / "a", change(data)), samples)


def test_a_file_that_really_holds_no_sample_is_named(tmp_path: Path) -> None:
    empty = made(tmp_path / "a.wav", "WAV", "PCM_16", NOISE[:0])
    listed = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf60.16.100\0"
    for data in (empty, empty + listed):
        assert "holds no sample" in str(refusal(tmp_path / "a.wav", data))


# --- what lies around the samples ---


def id3v2(size: int) -> bytes:
    return (
        b"ID3\3\0\0"
        + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
        + b"\xff\xfb\x90" * (size // 3)
        + bytes(size % 3)
    )


def ape(size: int) -> bytes:
    item = struct.pack("<II", size, 2) + b"Cover Art (Front)\0" + np.random.default_rng(1).bytes(size)
    ends = [struct.pack("<8s4IQ", b"APETAGEX", 2000, len(item) + 32, 1, flags, 0) for flags in (0xA0000000, 0x80000000)]
    return ends[0] + item + ends[1]


ID3V1 = b"TAG" + bytes(125)
LYRICS = b"LYRICSBEGININD0000200" + b"000021LYRICS200"
BEHIND = {
    "ID3v1": ID3V1, "APE with a picture": ape(200_000), "APE and ID3v1": ape(90_000) + ID3V1, "ID3v2 with a picture": id3v2(90_001),
    "Lyrics3 and ID3v1": LYRICS + ID3V1, "junk": b"\1\2\3" * 900, "zeros": bytes(300_000),
}  # fmt: skip


@pytest.mark.parametrize("name", BEHIND)
@pytest.mark.parametrize("form", ["WAV", "AIFF", "AU", "RF64", "CAF", "FLAC", "MP3"])
def test_what_stands_behind_the_samples_is_no_truncation(tmp_path: Path, form: str, name: str) -> None:
    if form in ("FLAC", "MP3") and name == "zeros":
        pytest.skip("the frames of a stream have no announced end that zeros could stand behind")
    data = made(tmp_path / "a", form)
    samples = decoded(tmp_path / "a")
    if (form, name) in {("FLAC", "ID3v2 with a picture")}:
        assert refusal(tmp_path / "a", data + BEHIND[name]).cause == "audio_undecodable"
        return
    assert np.array_equal(decoded(tmp_path / "a", data + BEHIND[name]), samples)


@pytest.mark.parametrize("form", ["FLAC", "MP3"])
def test_a_tag_before_the_frames_is_passed_over(tmp_path: Path, form: str) -> None:
    data = made(tmp_path / "a", form)
    samples = decoded(tmp_path / "a")
    assert np.array_equal(decoded(tmp_path / "a", id3v2(300_000) + data), samples)


def test_a_streamed_flac_with_a_tag_behind_it_is_read(tmp_path: Path) -> None:
    data = made(tmp_path / "a.flac", "FLAC")
    samples = decoded(tmp_path / "a.flac")
    unknown = data[:21] + bytes([data[21] & 0xF0, 0, 0, 0, 0]) + data[26:]
    assert np.array_equal(decoded(tmp_path / "a.flac", unknown + ape(90_000) + ID3V1), samples)


def test_chunks_around_the_samples_are_passed_over_and_may_be_cut(tmp_path: Path) -> None:
    data = made(tmp_path / "a.wav", "WAV", "PCM_16")
    samples = decoded(tmp_path / "a.wav")
    listed = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf60.16.100\0"
    for changed in (
        data[:12] + b"bext" + struct.pack("<I", 602) + bytes(602) + data[12:],
        data + listed,
        data + listed[:-9],
    ):
        assert np.array_equal(decoded(tmp_path / "a.wav", changed), samples)


def test_samples_of_odd_length_may_have_no_byte_behind_them(tmp_path: Path) -> None:
    data = made(tmp_path / "a.wav", "WAV", "PCM_U8", NOISE[:-1])
    samples = decoded(tmp_path / "a.wav")
    listed = b"LIST" + struct.pack("<I", 100_000) + bytes(100_000)
    for changed in (data + listed, data.rstrip(b"\0")[:44] + data[44 : 44 + RATE - 1] + listed):
        assert np.array_equal(decoded(tmp_path / "a.wav", changed), samples)


def test_audio_that_the_header_hides_is_refused(tmp_path: Path) -> None:
    data = made(tmp_path / "a.wav", "WAV", "PCM_16", np.tile(NOISE, 4))
    error = refusal(tmp_path / "a.wav", wav_sizes(1000, len(data) - 8)(data))
    assert "before the end of the file" in str(error)
    assert "copy" not in str(error), "a copy would be the same"


# --- MP3 ---


def without_index(data: bytes) -> bytes:
    """Without the first frame, which holds it."""
    return data[data.index(data[:2], 64) :]


def constant_rate(path: Path) -> bytes:
    """Five seconds without an index."""
    with soundfile.SoundFile(path, "w", RATE, 1, format="MP3", bitrate_mode="CONSTANT", compression_level=0.5) as file:
        file.write(np.tile(NOISE, 5))
    return without_index(path.read_bytes())


def test_a_short_mp3_of_variable_rate_without_an_index_is_refused(tmp_path: Path) -> None:
    data = without_index(made(tmp_path / "a.mp3", "MP3"))
    error = refusal(tmp_path / "a.mp3", data)
    assert error.cause == "audio_undecodable" and "without an index" in str(error)


def test_an_mp3_without_an_index_is_cut_where_its_last_frame_is(tmp_path: Path) -> None:
    data = constant_rate(tmp_path / "a.mp3")
    samples = decoded(tmp_path / "a.mp3", data)
    assert len(samples) >= 5 * RATE
    for lost in (1, 3, 40, 100):
        assert "last MP3 frame" in str(refusal(tmp_path / "a.mp3", data[:-lost]))
        assert refusal(tmp_path / "a.mp3", data[:-lost]).cause == "audio_truncated"
    assert np.array_equal(decoded(tmp_path / "a.mp3", data + ID3V1), samples)
    assert np.array_equal(decoded(tmp_path / "a.mp3", data + ape(200_000)), samples)


def test_a_cut_tag_behind_an_mp3_loses_no_sound(tmp_path: Path) -> None:
    data = made(tmp_path / "a.mp3", "MP3")
    samples = decoded(tmp_path / "a.mp3")
    assert np.array_equal(decoded(tmp_path / "a.mp3", data + ape(200_000)[:-50_000]), samples)


@pytest.mark.parametrize("repeats", [1, 12])
def test_two_mp3_files_joined_are_named_as_more_than_the_header_says(tmp_path: Path, repeats: int) -> None:
    data = made(tmp_path / "a.mp3", "MP3", samples=np.tile(NOISE, repeats))
    error = refusal(tmp_path / "a.mp3", data + data)
    assert error.cause == "audio_undecodable" and "more MP3 frames follow" in str(error)


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"\0\0\0\x20ftypM4A ", "an MP4 or M4A file"), (b"\x1a\x45\xdf\xa3\x9f", "a WebM or Matroska file"),
        (b"<!DOCTYPE html><html>", "a web page"), (b"\xef\xbb\xbf\n<HTML>", "a web page"), (b"PK\3\4", "a ZIP archive"),
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_is_called_what_it_is(tmp_path: Path, head: bytes, what: str) -> None:
    error = refusal(tmp_path / "a.flac", head + np.random.default_rng(3).bytes(5000))
    assert (
        error.cause == "audio_undecodable"
        and f"(this is {what}, whatever its name); export it as FLAC or WAV" in str(error)
    )


# --- the view ---


@given(
    data=st.binary(max_size=60),
    patch=st.binary(max_size=8),
    offset=st.integers(0, 60),
    reads=st.lists(st.integers(0, 30), max_size=8),
    end=st.integers(0, 60),
)
def test_a_view_is_the_patched_bytes_up_to_its_end(
    data: bytes, patch: bytes, offset: int, reads: list[int], end: int
) -> None:
    end = min(end, len(data))
    expected = bytearray(data)
    expected[offset : offset + len(patch)] = patch[: max(len(data) - offset, 0)]
    view = View(MemoryBytes(data), end, {offset: patch})
    got = b"".join(view.read(count) for count in reads) + view.read()
    assert got == bytes(expected[: len(data)][:end]) and view.tell() == end


SIGNS = (
    b"RIFF\0\0\0\0WAVE", b"RF64\0\0\0\0WAVEds64", b"FORM\0\0\0\0AIFF", b".snd", b"caff\0\1\0\0", b"NIST_1A\n", b"ID3", b"\xff\xfb", b"",
)  # fmt: skip


@given(st.binary(max_size=300), st.sampled_from(SIGNS))
def test_no_bytes_upset_the_check_of_sizes(data: bytes, sign: bytes) -> None:
    found = layout(MemoryBytes(sign + data))
    assert 0 <= found.end <= len(sign + data)
