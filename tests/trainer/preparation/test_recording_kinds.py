"""What kind of recording it is: each kind is made of rendered speech, prepared, and warned of by name; clean speech is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pyworld
import soundfile
import soxr
from scipy.signal import butter, sosfilt

from tests.trainer.preparation.test_prepare import read
from trainer.errors import DataError
from trainer.preparation.prepare import prepare
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recording_kinds import Acoustics, Kinds, measure

RATE = 22_050
LIMITS = PrepareSettings()
VOICES = Path(__file__).parents[4] / "shared" / "voices"
human = pytest.mark.skipif(not VOICES.is_dir(), reason="no human speech in ../shared/voices")
CLEAN = Acoustics(voiced=0.6, f0_hz=150.0, bandwidth_hz=8000.0, tonal=0.0)


def telephone(speech: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Through the band of a telephone and its mu-law code, at the rate it had."""
    narrow = sosfilt(butter(4, [300, 3400], "bandpass", fs=8000, output="sos"), soxr.resample(speech, rate, 8000))
    coded = np.round(127 * np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)) / 127
    return soxr.resample(np.sign(coded) * (256 ** np.abs(coded) - 1) / 255, 8000, rate).astype(np.float32)


def whispered(speech: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Its spectra excited by noise alone."""
    return _spoken_again(speech, rate, hertz=0.0, formants=1.0)


def childlike(speech: np.ndarray, rate: int = RATE, *, hertz: float = 310.0) -> np.ndarray:
    """By a shorter throat, and at the median F0 of a child."""
    return _spoken_again(speech, rate, hertz=hertz, formants=1.2)


def _spoken_again(speech: np.ndarray, rate: int, *, hertz: float, formants: float) -> np.ndarray:
    samples = speech.astype(np.float64)
    f0, times = pyworld.harvest(samples, rate)
    parts = pyworld.cheaptrick(samples, f0, times, rate), pyworld.d4c(samples, f0, times, rate)
    bins = np.arange(parts[0].shape[1])
    envelope, noise = (np.stack([np.interp(bins / formants, bins, row) for row in part]) for part in parts)
    return pyworld.synthesize(f0 * hertz / np.median(f0[f0 > 0]), envelope, noise, rate)[: len(speech)].astype(
        np.float32
    )


def music(count: int, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Broken chords of plucked notes with overtones and a drum at every beat; (count,) samples."""
    draw, beat, time = np.random.default_rng(seed), rate // 2, np.arange(2 * rate) / rate
    played, root = np.zeros(count + 2 * rate), 220.0 * 2.0 ** (draw.integers(-5, 6) / 12)
    drum = draw.standard_normal(rate // 10) * np.exp(-40.0 * time[: rate // 10])
    for number, start in enumerate(range(0, count, beat)):
        note = root * 2.0 ** ((draw.choice([0, 4, 7]) + (0, 5, 7, 9)[number // 4 % 4]) / 12)
        tone = sum(np.sin(2 * np.pi * note * part * time) / part for part in range(1, 8)) * np.exp(-2.0 * time)
        played[start : start + len(time)] += tone
        played[start : start + len(drum)] += 0.5 * drum
    return played[:count].astype(np.float32)


def over_music(speech: np.ndarray, rate: int = RATE, *, below_db: float = 10.0, seed: int = 0) -> np.ndarray:
    """With music below it."""
    return over(speech, music(len(speech), rate, seed), below_db)


def over(speech: np.ndarray, sound: np.ndarray, below_db: float) -> np.ndarray:
    """With a sound so far below the speech's loud parts."""
    loud = np.square(speech)[np.abs(speech) > 0.1 * np.abs(speech).max()].mean()
    return (speech + sound * np.sqrt(loud / np.square(sound).mean()) * 10 ** (-below_db / 20)).astype(np.float32)


@pytest.fixture(scope="module")
def speech(small_recording: Path) -> np.ndarray:
    """Half a minute of a rendered man."""
    return read(small_recording)[: 30 * RATE]


def noted(samples: np.ndarray, folder: Path, rate: int = RATE, settings: PrepareSettings = LIMITS) -> list[str]:
    """What a preparation of the samples notes."""
    notes: list[str] = []
    soundfile.write(folder / "a.flac", samples / np.abs(samples).max() * 0.8, rate)
    prepare(folder / "a.flac", folder / "out/m.json", settings, workspace=folder, on_note=notes.append)
    return notes


MADE: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int, str]] = {
    "telephone": (telephone, RATE, "have no sound above 4000 Hz, as by telephone (under 4500 Hz)"),
    "telephone at 8 kHz": (lambda x: soxr.resample(telephone(x), RATE, 8000), 8000, "as by telephone"),
    "whisper": (whispered, RATE, "are whispered: "),
    "music 15 dB below": (lambda x: over_music(x, below_db=15.0), RATE, "music or a steady tone under the speech"),
    "child": (childlike, RATE, "as high as a child speaks"),
    "too fast": (lambda x: np.tile(childlike(x, hertz=170.0), 2), 2 * RATE, "or run too fast"),
}


@pytest.mark.parametrize("name", MADE)
def test_a_kind_is_warned_of_with_what_was_measured_and_what_to_do(
    name: str, speech: np.ndarray, tmp_path: Path
) -> None:
    make, rate, says = MADE[name]
    said = [note for note in noted(make(speech), tmp_path, rate) if says in note]
    assert len(said) == 1
    assert said[0].split(" of ")[0].isdigit() and ("(under " in said[0] or "(over " in said[0]) and "; " in said[0]


def test_a_refusal_of_all_that_is_too_noisy_says_that_the_noise_is_music(speech: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"too_noisy\); \d+ of \d+ utterances have music") as caught:
        noted(over_music(speech, below_db=8.0), tmp_path)
    assert caught.value.cause == "no_usable_speech"


def test_clean_speech_is_of_no_kind_and_no_limit_of_a_kind_changes_a_byte(speech: np.ndarray, tmp_path: Path) -> None:
    assert noted(speech, tmp_path) == []
    before = (tmp_path / "out/m.json").read_bytes()
    strict = replace(LIMITS, min_bandwidth_hz=20_000.0, min_voiced_share=1.0, max_median_f0_hz=1.0, min_kind_share=0.0)
    assert len(noted(speech, tmp_path, settings=strict)) == 2
    assert (tmp_path / "out/m.json").read_bytes() == before
    assert b"kind" not in before


def warnings(sounds: list[Acoustics]) -> list[str]:
    """Of utterances of four seconds."""
    return Kinds([(sound, 4.0) for sound in sounds]).warnings(LIMITS)


@pytest.mark.parametrize(("whispering", "warned"), [(2, False), (3, True)])
def test_a_kind_is_warned_of_from_a_share_of_the_speech_on(whispering: int, warned: bool) -> None:
    sounds = [replace(CLEAN, voiced=0.02)] * whispering + [CLEAN] * (10 - whispering)
    told = warnings(sounds)
    assert [line.startswith(f"{whispering} of 10 utterances are whispered: 2%") for line in told] == [True] * warned


def test_a_whisper_and_music_have_no_pitch_to_judge() -> None:
    whisper, melody = replace(CLEAN, f0_hz=450.0, voiced=0.02), replace(CLEAN, f0_hz=450.0, tonal=0.9)
    for one in (whisper, melody):
        assert len(warnings([one])) == 1


def test_what_noise_hides_is_no_whisper() -> None:
    assert warnings([replace(CLEAN, voiced=0.02, noisy=True)]) == []


def test_no_speech_is_of_no_kind() -> None:
    assert warnings([]) == []


@human
def test_no_kind_is_found_in_clean_speech_of_people() -> None:
    clips = sorted((VOICES / "many").glob("*.flac"))[::10] + sorted((VOICES / "lj/clips").glob("*.flac"))[::4]
    assert len(clips) > 30
    for clip in clips:
        samples, rate = soundfile.read(clip, dtype="float32")
        sound = measure(soxr.resample(samples, rate, RATE))
        assert warnings([sound]) == [], clip.name
