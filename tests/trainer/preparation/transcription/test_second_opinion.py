"""Where two recognisers hear different words, and the sound says who is right."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from trainer.preparation.recognisers import Heard
from trainer.preparation.transcription import second_opinion
from trainer.voice import shipped_files

CLIP = Path(__file__).parents[5] / "shared" / "voices" / "lj" / "clips" / "LJ001-0002.flac"


@pytest.mark.parametrize(("first", "second", "expected"), [
    ("a b c", "a b c", []),
    ("a x c", "a y z c", [("x", "y z")]),
    ("a c", "a b c", [("", "b")]),
    ("x a c", "a c y", [("x", ""), ("", "y")]),
    ("", "a", [("", "a")]),
])  # fmt: skip
def test_the_stretches_that_differ_are_found(first: str, second: str, expected: list[tuple[str, str]]) -> None:
    one, other = first.split(), second.split()
    found = second_opinion.differing(one, other)
    assert [(" ".join(one[a.start : a.stop]), " ".join(other[b.start : b.stop])) for a, b in found] == expected


@pytest.mark.skipif(not CLIP.is_file(), reason="no human speech in ../shared/voices")
def test_a_person_is_asked_only_where_the_sound_does_not_bear_out_the_first_ones_words() -> None:
    wave, _ = soundfile.read(CLIP, dtype="float32")
    aligner = shipped_files.load_aligner()
    right, wrong = Heard(text="in being comparatively modern"), Heard(text="in seeing comparatively ancient")
    assert second_opinion.doubts(right, wrong, wave, aligner) == ()
    asked = second_opinion.doubts(wrong, right, wave, aligner)
    assert "`ancient` or `modern`?" in asked
