import io
import os
import resource
import signal

import numpy as np
import pytest
import soundfile

from trainer.audio.audio_file import AudioFile, PcmPipe, pcm16, streaming_header
from trainer.errors import DataError, TrainingError

WAVE = np.sin(np.arange(5000) / 20.0).astype(np.float32) * 0.5


@pytest.mark.parametrize("name", ["a.wav", "b.flac", "C.WAV"])
def test_what_is_written_in_pieces_is_read_whole(tmp_path, name):
    with AudioFile(tmp_path / "new" / name, sample_rate=24_000) as file:
        for piece in np.array_split(WAVE, 7):
            file.write(piece)
    found, rate = soundfile.read(tmp_path / "new" / name, dtype="int16")
    assert rate == 24_000
    assert np.array_equal(found, pcm16(WAVE))
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_an_error_leaves_neither_a_file_nor_its_beginning(tmp_path):
    def fail() -> None:
        with AudioFile(tmp_path / "a.wav", sample_rate=22_050) as file:
            file.write(WAVE)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def test_an_existing_file_stays_whole_until_the_new_one_is(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"before")
    with AudioFile(path, sample_rate=22_050) as file:
        file.write(WAVE)
        assert path.read_bytes() == b"before"
    assert soundfile.info(path).frames == len(WAVE)


@pytest.mark.parametrize("name", ["a", "a.mp3", "wav"])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(DataError) as caught:
        AudioFile(tmp_path / name, sample_rate=22_050)
    assert caught.value.cause == "output_format"


def test_a_place_that_cannot_be_written_is_refused_before_there_is_anything_to_write(tmp_path):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder.wav").mkdir()
    for path in (tmp_path / "file" / "a.wav", tmp_path / "folder.wav"):
        with pytest.raises(TrainingError) as caught:
            AudioFile(path, sample_rate=22_050)
        assert caught.value.cause == "output_not_writable"


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_file_that_could_not_be_written_to_its_end_is_none(tmp_path, name):
    noise = np.random.default_rng(0).uniform(-1, 1, 40_000).astype(np.float32)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
        with pytest.raises(TrainingError), AudioFile(tmp_path / name, sample_rate=22_050) as file:
            file.write(noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert not list(tmp_path.iterdir())


def test_a_pipe_carries_a_header_and_little_endian_samples():
    stream = io.BytesIO()
    pipe = PcmPipe(stream, sample_rate=16_000, raw=False)
    pipe.write(WAVE[:1000])
    pipe.write(WAVE[1000:])
    assert stream.getvalue()[:44] == streaming_header(16_000)
    assert np.array_equal(np.frombuffer(stream.getvalue()[44:], "<i2"), pcm16(WAVE))
    found, rate = soundfile.read(io.BytesIO(stream.getvalue()), dtype="int16")
    assert rate == 16_000
    assert np.array_equal(found, pcm16(WAVE))


def test_a_raw_pipe_carries_nothing_but_samples():
    stream = io.BytesIO()
    PcmPipe(stream, sample_rate=16_000, raw=True).write(WAVE)
    assert len(stream.getvalue()) == 2 * len(WAVE)


def test_no_temporary_file_of_another_process_is_touched(tmp_path):
    other = tmp_path / f".a.wav.{os.getpid() + 1}.tmp"
    other.write_bytes(b"theirs")
    with AudioFile(tmp_path / "a.wav", sample_rate=22_050) as file:
        file.write(WAVE)
    assert other.read_bytes() == b"theirs"
