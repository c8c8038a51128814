"""What kind of recording it is: each kind is made of rendered speech, prepared, and warned of by name; clean speech is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from tests.trainer.preparation.made_kinds import RATE, childlike, over_music, telephone, whispered
from tests.trainer.preparation.test_prepare import read
from trainer.errors import DataError
from trainer.preparation.prepare import prepare
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recording_kinds import Acoustics, Kinds, measure

pytestmark = pytest.mark.long

LIMITS = PrepareSettings()
VOICES = Path(__file__).parents[4] / "shared" / "voices"
human = pytest.mark.skipif(not VOICES.is_dir(), reason="no human speech in ../shared/voices")
CLEAN = Acoustics(voiced=0.6, f0_hz=150.0, bandwidth_hz=8000.0, tonal=0.0)


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
