"""Quality gates: what they measure is right, and they separate usable from unusable speech."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

from trainer.audio import quality, recording
from trainer.dataset.manifest import Dropped
from trainer.preparation import taking
from trainer.preparation.cutting import cut
from trainer.preparation.detection import detect
from trainer.preparation.prepare_settings import PrepareSettings

RATE = 22_050
DEFAULTS = PrepareSettings()
SHARED = Path(__file__).parents[4] / "shared" / "voices"


@pytest.fixture(scope="module")
def speech(small_recording: Path) -> np.ndarray:
    samples, _ = soundfile.read(small_recording, dtype="float32")
    return samples


def judged(
    samples: np.ndarray, tmp_path: Path, settings: PrepareSettings = DEFAULTS, subtype: str = "PCM_24"
) -> list[taking.Utterance | Dropped]:
    path = tmp_path / "judged.wav"
    soundfile.write(
        path, samples if subtype in ("FLOAT", "DOUBLE") else np.clip(samples, -1.0, 1.0), RATE, subtype=subtype
    )
    audio = recording.surveyed(recording.inspect(path), settings)
    track, _ = detect(audio, settings)
    return list(taking.take(audio, track, cut(track, settings), settings))


def reasons(results: list[taking.Utterance | Dropped]) -> set[str]:
    return {each.reason if isinstance(each, Dropped) else "kept" for each in results}


def with_noise(speech: np.ndarray, snr_db: float) -> np.ndarray:
    windows = np.square(speech[: len(speech) // 512 * 512].reshape(-1, 512)).mean(axis=1)
    power = float(windows[windows > 1e-5].mean())  # pauses do not count
    noise = np.random.default_rng(0).standard_normal(len(speech)) * np.sqrt(power / 10.0 ** (snr_db / 10.0))
    return (speech + noise).astype(np.float32)


def test_loudness_of_the_reference_tone_is_that_of_the_standard() -> None:
    tone = np.sin(2 * np.pi * 997.0 * np.arange(5 * RATE) / RATE).astype(np.float32)
    assert quality.loudness_lufs(tone, RATE) == pytest.approx(-3.01, abs=0.1)  # BS.1770-4: 0 dBFS, 997 Hz, one channel


def test_loudness_of_silence_is_finite() -> None:
    assert quality.loudness_lufs(np.zeros(RATE, np.float32), RATE) == quality.SILENCE_LUFS


def test_levelling_reaches_the_target_where_the_peak_allows(speech: np.ndarray) -> None:
    quiet = speech[: 10 * RATE] * 0.05
    levelled = quality.normalised(quiet, quality.loudness_lufs(quiet, RATE), DEFAULTS)
    assert quality.loudness_lufs(levelled, RATE) == pytest.approx(DEFAULTS.target_lufs, abs=0.1)


def test_levelling_never_passes_the_peak_limit(speech: np.ndarray) -> None:
    peaky = speech[: 10 * RATE] * 0.05
    peaky[1000] = 0.9
    levelled = quality.normalised(peaky, quality.loudness_lufs(peaky, RATE), DEFAULTS)
    assert 20 * np.log10(np.abs(levelled).max()) == pytest.approx(DEFAULTS.max_peak_dbfs, abs=0.01)


def test_clipping_is_that_of_the_worst_channel() -> None:
    frames = np.zeros((100, 2), np.float32)
    frames[:7, 1] = -1.0
    assert quality.clipping_fraction(frames) == pytest.approx(0.07)


@pytest.mark.parametrize("snr_db", [25.0, 15.0])
def test_measured_snr_follows_the_noise_that_was_added(speech: np.ndarray, tmp_path: Path, snr_db: float) -> None:
    results = judged(with_noise(speech, snr_db), tmp_path)
    measured = [each.quality.snr_db for each in results if isinstance(each, taking.Utterance)]
    assert np.median(measured) == pytest.approx(snr_db, abs=3.0)


def test_clean_speech_passes_every_gate(speech: np.ndarray, tmp_path: Path) -> None:
    assert reasons(judged(speech, tmp_path)) == {"kept"}


def test_noise_ten_decibels_below_the_speech_still_passes(speech: np.ndarray, tmp_path: Path) -> None:
    assert reasons(judged(with_noise(speech, 10.0), tmp_path)) == {"kept"}


def test_speech_in_loud_noise_is_dropped_as_too_noisy(speech: np.ndarray, tmp_path: Path) -> None:
    assert "kept" not in reasons(results := judged(with_noise(speech, 4.0), tmp_path))
    assert "too_noisy" in reasons(results)


def test_overdriven_speech_is_dropped_as_clipped(speech: np.ndarray, tmp_path: Path) -> None:
    assert reasons(judged(speech * 30.0, tmp_path)) == {"clipped"}


def test_faint_speech_of_16_bits_is_dropped_as_too_quiet(speech: np.ndarray, tmp_path: Path) -> None:
    assert reasons(judged(speech * 0.04, tmp_path, subtype="PCM_16")) == {"too_quiet"}


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "FLOAT"])
def test_speech_with_more_than_16_bits_may_be_faint(speech: np.ndarray, tmp_path: Path, subtype: str) -> None:
    results = judged(speech * 0.04, tmp_path, subtype=subtype)
    assert reasons(results) == {"kept"}
    measured = [quality.loudness_lufs(each.samples / 32_768.0, RATE) for each in results]
    assert measured == pytest.approx([DEFAULTS.target_lufs] * len(results), abs=0.2)


def test_16_bits_in_a_file_of_24_are_no_finer(speech: np.ndarray, tmp_path: Path) -> None:
    assert reasons(judged(np.round(speech * 0.04 * 32_768) / 32_768, tmp_path)) == {"too_quiet"}


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("gain_db", [6.0, 9.5, 12.0, 30.0])
def test_float_above_full_scale_is_levelled_and_not_clipped(
    speech: np.ndarray, tmp_path: Path, gain_db: float, subtype: str
) -> None:
    results = judged(speech / np.abs(speech).max() * 10.0 ** (gain_db / 20.0), tmp_path, subtype=subtype)
    assert reasons(results) == {"kept"}
    assert max(each.quality.clipping for each in results) < 0.001
    assert max(np.abs(each.samples).max() for each in results) <= 32_767 * 10 ** (DEFAULTS.max_peak_dbfs / 20) + 1


@pytest.mark.parametrize("level", [1.0, 0.7, 3.0])
def test_float_that_was_clipped_is_found_wherever_its_tops_lie(
    speech: np.ndarray, tmp_path: Path, level: float
) -> None:
    clipped = np.clip(speech * 30.0, -1.0, 1.0) * np.float32(level)
    assert reasons(judged(clipped, tmp_path, subtype="FLOAT")) == {"clipped"}


def test_integers_in_a_float_file_give_the_clips_of_the_integers(speech: np.ndarray, tmp_path: Path) -> None:
    whole = judged(speech, tmp_path, subtype="PCM_16")
    scaled = judged(np.round(speech * 32_768), tmp_path, subtype="FLOAT")
    assert whole and all(np.array_equal(one.samples, other.samples) for one, other in zip(whole, scaled, strict=True))


@pytest.mark.parametrize("subtype", ["PCM_U8", "ULAW", "ALAW", "PCM_16", "PCM_24"])
def test_the_largest_value_of_each_encoding_is_its_full_scale(speech: np.ndarray, tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.clip(speech * 30.0, -1.0, 1.0), RATE, subtype=subtype)
    frames = soundfile.read(path, dtype="float32", always_2d=True)[0]
    assert quality.clipping_fraction(frames, subtype) == pytest.approx(np.mean(np.abs(speech * 30.0) >= 1.0), abs=0.03)
    soundfile.write(path, speech / np.abs(speech).max() * 0.9, RATE, subtype=subtype)
    assert quality.clipping_fraction(soundfile.read(path, dtype="float32", always_2d=True)[0], subtype) == 0.0


def test_single_peaks_at_full_scale_are_not_clipped() -> None:
    frames = np.zeros((100, 1), np.float32)
    frames[::10] = 1.0
    assert quality.clipping_fraction(frames) == 0.0


def test_a_constant_offset_is_neither_noise_nor_left_in_the_clips(speech: np.ndarray, tmp_path: Path) -> None:
    results = judged(speech * 0.5 + 0.25, tmp_path)
    assert reasons(results) == {"kept"}
    assert all(abs(float(each.samples.mean())) < 20 for each in results)


def test_room_hum_is_not_taken_for_a_pause(speech: np.ndarray, tmp_path: Path) -> None:
    hum = lfilter([1.0], [1.0, -0.98], np.random.default_rng(1).standard_normal(len(speech))) * 0.0005
    assert reasons(judged(speech + hum, tmp_path)) == {"kept"}


def test_utterances_of_many_speakers_pass_the_quality_gates() -> None:
    folder = SHARED / "many"
    if not folder.is_dir():
        pytest.skip(f"no recordings of many speakers at {folder}")
    settings = replace(DEFAULTS, min_utterance_s=0.5)
    dropped = []
    for path in sorted(folder.glob("*.flac"))[::6]:
        audio = recording.inspect(path)
        track, _ = detect(audio, settings)
        results = taking.take(audio, track, cut(track, settings), settings)
        dropped += [(path.name, each) for each in results if isinstance(each, Dropped)]
    assert not dropped
