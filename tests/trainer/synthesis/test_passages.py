import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.models.natural import alphabet
from trainer.synthesis.passages import passages
from trainer.text import TextError


def warnings_of(text):
    return [warning for passage in passages(text) for warning in passage.warnings]


def test_the_first_sentence_of_a_paragraph_opens_it_and_no_other_does():
    found = list(passages("One fish. Two fish.\n\n\nRed fish! Blue\nfish?\n"))
    assert [passage.text for passage in found] == ["One fish.", "Two fish.", "Red fish!", "Blue fish?"]
    assert [passage.opens_paragraph for passage in found] == [True, False, True, False]
    assert [passage.mark for passage in found] == [".", ".", "!", "?"]


def test_symbols_stand_between_two_edges_and_end_with_the_mark():
    (passage,) = passages("Hello there!")
    assert passage.symbols[[0, -2, -1]].tolist() == [alphabet.EDGE, alphabet.ID["!"], alphabet.EDGE]
    assert passage.words == 2 and passage.is_vowel.sum() == 3
    assert passage.is_pause.nonzero()[0].tolist() == [0, len(passage.symbols) - 2, len(passage.symbols) - 1]


def test_an_endless_text_is_read_only_as_far_as_it_is_spoken():
    read = itertools.count()
    lines = (f"This is line {next(read)}.\n" if place % 2 else "\n" for place in itertools.count())
    assert len(list(itertools.islice(passages(lines), 5))) == 5
    assert next(read) < 12


@pytest.mark.parametrize("text", ["", " \n\t\n ", "🙂🙂", "\x00\x07", "...", "你好"])
def test_a_text_without_a_word_is_refused_in_the_end(text):
    with pytest.raises(TextError) as caught:
        list(passages(text))
    assert caught.value.cause == "text_empty"


def test_the_refusal_names_what_was_there_instead_of_words():
    with pytest.raises(TextError, match="SLIGHTLY SMILING FACE"):
        list(passages("🙂"))


def test_characters_that_nobody_can_speak_are_named_with_their_sentence():
    found = list(passages("Fine.\n\nA bell \x07 rang 🙂.\n\nFine again.\n"))
    assert [bool(passage.warnings) for passage in found] == [False, True, False]
    assert "U+0007" in found[1].warnings[0]


def test_a_word_of_20000_letters_is_read_in_pieces_and_named():
    text = "x" * 20_000
    found = list(passages(text))
    assert len(found) > 10
    assert max(len(passage.symbols) for passage in found) < 3000
    assert "20000 letters" in found[0].warnings[0]


def test_another_language_is_named_and_english_is_not():
    assert "English" in warnings_of("Der Hund lief über die Straße und bellte den ganzen Abend lang.")[0]
    assert not warnings_of("The dog ran over the street and barked for the whole evening.")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_spoken_or_refused(text):
    try:
        found = list(passages(text))
    except TextError:
        return
    assert all(len(passage.symbols) > 3 and passage.words for passage in found)
