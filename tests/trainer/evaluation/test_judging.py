"""A clip that cannot be judged has the worst marks and a fault that says why; whatever its format, a sound one is judged."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.trainer.evaluation.spoken import Clip
from trainer.errors import DataError
from trainer.evaluation import encoder_file, judging
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.judging import WORST, Judged, Task
from trainer.evaluation.prompts import Item
from trainer.files import onnx_runtime
from trainer.preparation import parallel
from trainer.preparation.recognisers import pocketsphinx


def judge(path: Path | None, prompt: str = "", **changes: object) -> Judged:
    return judging.judge(
        Task(item=Item(id="clip", path=path, prompt=prompt), limits=SignalLimits(), encoder=None, **changes)
    )


def write(path: Path, frames: np.ndarray, rate: int = 22_050) -> Path:
    soundfile.write(path, frames, rate, subtype="FLOAT")
    return path


def _not_there(path: Path) -> None:
    path.unlink()


def _no_audio(path: Path) -> None:
    path.write_bytes(b"RIFF....WAVE")


def _zero_bytes(path: Path) -> None:
    path.write_bytes(b"")


def _zero_length(path: Path) -> None:
    write(path, np.zeros(0, np.float32))


def _pointer(path: Path) -> None:
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n")


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere.wav"))
    path.symlink_to("elsewhere.wav")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _silence(path: Path) -> None:
    write(path, np.zeros(22_050, np.float32))


def _not_a_number(path: Path) -> None:
    wave, rate = soundfile.read(path, dtype="float32")
    wave[100] = np.nan
    write(path, wave, rate)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (_not_there, "missing"), (_no_audio, "undecodable"), (_zero_bytes, "empty"), (_zero_length, "empty"), (_pointer, "lfs_pointer"),
        (_link, "link"), (_folder, "not_regular"), (_silence, "silent"), (_not_a_number, "not_finite"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_has_the_worst_marks_and_its_fault(
    damage, fault: str, clips: list[Clip], tmp_path: Path
) -> None:
    path = write(tmp_path / "clip.wav", clips[0].wave)
    damage(path)
    found = judge(path, "some words")
    assert fault in found.faults and found.vector is None and found.opinion == WORST and found.heard == ()


def test_a_file_that_decodes_to_hours_is_not_decoded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "LONGEST_S", 0.5)
    assert judge(write(tmp_path / "clip.wav", np.full(22_050, 0.1, np.float32))).faults == ("too_long",)


def test_channels_and_rate_count_too_and_a_header_that_says_too_much_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eight = write(tmp_path / "clip.wav", np.full((22_050, 8), 0.1, np.float32))
    assert judging.read(eight).channels == 8
    monkeypatch.setattr(judging, "MOST_SAMPLES", 8 * 22_049)
    assert judge(eight).faults == ("too_long",)
    monkeypatch.setattr(judging, "MOST_FRAMES", 22_049)
    assert judge(write(tmp_path / "clip.wav", np.full(22_050, 0.1, np.float32))).faults == ("too_long",)


def test_a_small_file_of_many_samples_needs_no_more_memory_than_their_mean(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    with soundfile.SoundFile(path, "w", 192_000, 8, format="FLAC", subtype="PCM_16") as file:
        for _ in range(35):
            file.write(np.zeros((192_000, 8), np.int16))
    tracemalloc.start()
    try:
        sound = judging.read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    decoded = len(sound.mono) * 8 * 4
    assert path.stat().st_size < 60_000 and decoded == 215_040_000 and peak < decoded / 2


def test_a_clip_of_which_the_models_hear_nothing_has_the_worst_marks_and_its_fault(tmp_path: Path) -> None:
    found = judge(write(tmp_path / "clip.wav", np.array([0.5, -0.4], np.float32), 384_000), "some words")
    assert (
        found.faults == ("no_usable_speech",) and found.vector is None and found.opinion == WORST and found.audio_sha256
    )


def test_a_very_short_clip_is_judged_and_has_a_fault(clips: list[Clip], tmp_path: Path) -> None:
    found = judge(write(tmp_path / "clip.wav", clips[0].wave[4_000:12_000]))
    assert "too_short" in found.faults and found.vector is not None and found.opinion != WORST


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_any_rate_and_several_channels_are_judged(rate: int, clips: list[Clip], tmp_path: Path) -> None:
    wave = soxr.resample(clips[0].wave, 22_050, rate, quality="HQ")
    one = judge(write(tmp_path / "one.wav", wave, rate), only_voice=True)
    two = judge(write(tmp_path / "two.wav", np.tile(wave[:, None], 2), rate), only_voice=True)
    original = judge(write(tmp_path / "original.wav", clips[0].wave), only_voice=True)
    assert (two.channels, two.sample_rate) == (2, rate) and (one.vector == two.vector).all()
    assert one.vector @ original.vector > 0.85


def test_clipping_in_one_channel_is_seen_though_the_mean_hides_it(clips: list[Clip], tmp_path: Path) -> None:
    loud = np.clip(clips[0].wave * 20.0, -1.0, 1.0)
    assert (
        "clipped"
        in judge(write(tmp_path / "clip.wav", np.stack([clips[0].wave * 0.1, loud], axis=1)), only_voice=True).faults
    )


def test_limits_of_the_caller_decide_what_a_fault_is(clips: list[Clip], tmp_path: Path) -> None:
    path = write(tmp_path / "clip.wav", clips[0].wave)
    task = Task(
        item=Item(id="a", path=path), limits=SignalLimits(max_loudness_lufs=-60.0), encoder=None, only_voice=True
    )
    assert "too_loud" in judging.judge(task).faults and "too_loud" not in judge(path, only_voice=True).faults


def test_noise_and_a_text_that_does_not_fit_the_length_are_faults(clips: list[Clip], tmp_path: Path) -> None:
    noisy = clips[0].wave + np.random.default_rng(3).standard_normal(len(clips[0].wave)).astype(np.float32) * 0.3
    assert "noisy" in judge(write(tmp_path / "noisy.wav", noisy), only_voice=True).faults
    clean = write(tmp_path / "clean.wav", clips[0].wave)
    assert (
        "too_fast" in judge(clean, "word " * 30, only_voice=True).faults
        and "too_slow" in judge(clean, "word", only_voice=True).faults
    )
    assert not {"noisy", "too_fast", "too_slow"} & set(
        judge(clean, "about as many words as fit", only_voice=True).faults
    )


@pytest.mark.parametrize(("damage", "cause"), [(_no_audio, "audio_undecodable"), (_silence, "no_usable_speech")])
def test_the_reference_has_to_be_sound(damage, cause: str, clips: list[Clip], tmp_path: Path) -> None:
    path = write(tmp_path / "clip.wav", clips[0].wave)
    judging.require_sound(path)
    damage(path)
    with pytest.raises(DataError, match=r"clip\.wav") as caught:
        judging.require_sound(path)
    assert caught.value.cause == cause


_LOADED: list[str] = []


def _watch(owner: object, name: str) -> None:
    """Note each call of something that loads a model."""
    load = getattr(owner, name)

    def watched(*arguments: object, **named: object) -> object:
        _LOADED.append(name)
        return load(*arguments, **named)

    setattr(owner, name, watched)


def loads_so_far(task: Task) -> tuple[int, list[str]]:
    """In a worker: judges a clip; returns the process and the models that it has loaded by then."""
    if not hasattr(judging, "is_watched"):
        judging.is_watched = True
        _watch(onnx_runtime, "open_session")
        _watch(pocketsphinx, "decoder")
        _watch(encoder_file, "SpeakerEncoder")
    judging.judge(task)
    return os.getpid(), list(_LOADED)


@pytest.mark.long
def test_a_process_loads_its_models_once_however_many_clips_it_judges(folder: Path) -> None:
    paths = sorted(folder.glob("*.wav"))[:1] * 3
    tasks = [
        Task(item=Item(id=str(number), path=path, prompt="hello"), limits=SignalLimits(), encoder=None)
        for number, path in enumerate(paths)
    ]
    found = parallel.each(loads_so_far, tasks, processes=2)
    by_process: dict[int, list[list[str]]] = {}
    for process, loaded in found:
        by_process.setdefault(process, []).append(loaded)
    assert max(map(len, by_process.values())) > 1, "no process judged two clips"
    assert os.getpid() not in by_process
    for loaded in by_process.values():
        assert sorted(set(map(tuple, loaded))) == [tuple(loaded[0])]
        assert sorted(loaded[0]) == ["SpeakerEncoder", "decoder", "open_session", "open_session"]
