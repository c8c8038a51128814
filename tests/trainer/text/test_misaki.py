"""Words in their sentence become the symbols that the natural voices read."""

import pytest

from trainer import text
from trainer.models.natural import alphabet

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from trainer.text.misaki import phonemes


def said(sentence: str) -> str:
    (found,) = text.analyse(sentence).sentences
    return phonemes(found.words)


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("I read the book yesterday.", "ˌI ɹˈɛd ðə bˈʊk jˈɛstəɹdˌA."),
        ("I will read it.", "ˌI wɪl ɹˈid ɪt."),
        ("It costs $5, no?", "ɪt kˈɔsts fˈIv dˈɑləɹz, nˈO?"),
        ("A plan A", "ɐ plˈæn ˈA."),
        ("The CEO!", "ðə sˌiˌiˈO!"),
    ],
)
def test_homographs_numbers_letters_and_marks_are_said_as_the_sentence_asks(sentence: str, wanted: str) -> None:
    assert said(sentence) == wanted


def test_unknown_words_are_read_and_every_symbol_is_one_of_the_alphabet() -> None:
    spoken = said("Zyxworth, the glimbly thrumbo, sang: la-la!")
    assert all(one in alphabet.ID for one in spoken)
    assert len(alphabet.ids(spoken)) == len(spoken) + 2
