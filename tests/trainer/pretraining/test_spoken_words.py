"""Claims about assigning a synthesiser's phones to the words of a sentence, and times to frames."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trainer.pretraining import render
from trainer.pretraining.spoken_words import symbols
from trainer.pretraining.texts import Sentence
from trainer.teachers.flite import Segment
from trainer.text.phone_set import MARKS, SILENCE

WE_SAW_PAPER = Sentence(words=("we", "saw", "paper"), marks=("", ",", "."))


def _segments(phones: str) -> list[Segment]:
    """`-` is a pause, `AH-` a schwa; every phone lasts 0.1 s."""
    return [
        Segment(
            phone="" if name == "-" else name.rstrip("-"),
            end_s=0.1 * (index + 1),
            reduced=len(name) > 1 and name.endswith("-"),
        )
        for index, name in enumerate(phones.split())
    ]


def test_phones_get_their_words_stress_and_marks():
    found = symbols(WE_SAW_PAPER, _segments("- W IY S AO - P EY P ER -"))
    assert found is not None
    names, ends = found
    assert names == ("SIL", "W", "IY1", "S", "AO1", ",", "P", "EY1", "P", "ER0", ".")
    assert [round(end, 1) for end in ends] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]


def test_a_pause_without_a_mark_is_silence_and_a_mark_without_a_pause_takes_no_time():
    names, ends = symbols(WE_SAW_PAPER, _segments("- W IY - S AO P EY P ER -")) or ((), ())
    assert names[3] == SILENCE
    assert ends[names.index(",")] == ends[names.index(",") - 1]


def test_what_was_spoken_wins_over_the_dictionary():
    names, _ = symbols(WE_SAW_PAPER, _segments("- W IY S AA - P EY P ER -")) or ((), ())
    assert "AA1" in names and "AO1" not in names


def test_other_words_than_those_written_are_refused():
    assert symbols(WE_SAW_PAPER, _segments("- N OW B AH D IY N OW Z -")) is None


@given(st.lists(st.floats(0.0, 0.3), min_size=2, max_size=20), st.integers(0, 40))
def test_times_become_frames_that_add_up(lengths: list[float], extra: int):
    names = tuple("," if index % 3 == 2 else "AA1" for index in range(len(lengths)))
    ends, end = [], 0.0
    for length in lengths:
        end += length
        ends.append(end)
    frames = int(end * 86.13) + 1 + extra
    found = render.timed((names, tuple(ends)), frames)
    if found is not None:
        assert tuple(name for name, _ in found) == names and sum(count for _, count in found) == frames
        assert all(count > 0 or (count == 0 and name in MARKS) for name, count in found)
