"""Words in their sentence become the symbols that the natural voices read."""

import shutil
from pathlib import Path

import pytest

from trainer import text
from trainer.errors import RuntimeSetupError
from trainer.evaluation.intelligibility import word_edits
from trainer.models.natural import alphabet

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from hibari import g2p

from trainer.models.natural import pronunciations
from trainer.models.natural.from_arpabet import symbols
from trainer.models.natural.pronunciations import phonemes
from trainer.text import dictionary, letters_to_phones

HOW_IT_SOUNDS = str.maketrans({"ˈ": None, "ˌ": None, "ɾ": "T", "ʔ": "t"})
HOMOGRAPHS = Path(__file__).with_name("homographs.tsv")
"""`developed` or `unseen`, what is said for the word between asterisks, the sentence."""


def said(sentence: str) -> str:
    (found,) = text.analyse(sentence).sentences
    return phonemes(found.words)


def said_for(sentence: str) -> str:
    """What is said for the word between asterisks."""
    before, _, _ = sentence.partition("*")
    place = len(text.analyse(before).sentences[0].words) if before.strip() else 0
    return said(sentence.replace("*", "")).split(" ")[place].strip(",.?!")


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("I read the book yesterday.", "ˌI ɹˈɛd ðə bˈʊk jˈɛstəɹdˌA."),
        ("I will read it.", "ˌI wɪl ɹˈid ɪt."),
        ("It costs $5, no?", "ɪt kˈɔsts fˈIv dˈɑləɹz, nˈO?"),
        ("A plan A", "ɐ plˈæn ˈA."),
        ("The CEO!", "ðə sˌiˌiˈO!"),
        ("CO2 and H2O.", "sˌiˈO tˈu ænd ˈAʧ tˈu ˈO."),
        ("The Cs and Ds.", "ðə sˈiz ænd dˈiz."),
        ("In August, Polish maids polish.", "ɪn ˈɔɡəst, pˈOlɪʃ mˈAdz pˈɑlɪʃ."),
        ("Siobhan Nguyen's.", "ʃəvˈɔn nujˈɛnz."),
        ("'Twas Proust's, who're they?", "twˌʌz pɹˈusts, hˌuəɹ ðA?"),
        ("Nice hotels in Nice.", "nˈIs hOtˈɛlz ɪn nˈis."),
        ("Marie flew to Beijing.", "məɹˈi flˈu tə bˌAʤˈɪŋ."),
        ("They'd've gone.", "ðˌAdəv ɡˈɔn."),
    ],
)
def test_homographs_numbers_letters_and_marks_are_said_as_the_sentence_asks(sentence: str, wanted: str) -> None:
    assert said(sentence) == wanted


def test_unknown_words_are_read_and_every_symbol_is_one_of_the_alphabet() -> None:
    spoken = said("Zyxworth, the glimbly thrumbo, sang: la-la!")
    assert all(one in alphabet.ID for one in spoken)
    assert len(alphabet.ids(spoken)) == len(spoken) + 2


@pytest.mark.parametrize("name", ["lexicon_us_gold.json.gz", "tagger.json.gz"])
def test_a_changed_or_missing_file_of_the_package_is_refused_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(g2p.ASSETS, tmp_path / "assets")
    monkeypatch.setattr(g2p, "ASSETS", str(folder))
    changed = bytearray((folder / name).read_bytes())
    changed[-1] ^= 1
    (folder / name).write_bytes(changed)
    for cause in ("weights_corrupt", "weights_missing_offline"):
        with pytest.raises(RuntimeSetupError, match=rf"{name}.*hibari-tts==0\.2\.1") as caught:
            pronunciations._pronouncer.__wrapped__()
        assert caught.value.cause == cause
        (folder / name).unlink(missing_ok=True)


@pytest.mark.parametrize(("which", "least"), [("developed", 100), ("unseen", 62)])
def test_homographs_are_said_as_their_sentence_asks(which: str, least: int) -> None:
    rows = [line.split("\t") for line in HOMOGRAPHS.read_text(encoding="utf-8").splitlines() if line.startswith(which)]
    wrong = [row for row in rows if pronunciations.heard(said_for(row[2])) != pronunciations.heard(row[1])]
    assert len(rows) == {"developed": 100, "unseen": 65}[which]
    # The unseen ones stay so.
    assert len(rows) - len(wrong) >= least, wrong if which == "developed" else "fewer than before"


@pytest.mark.long
def test_every_word_of_every_dictionary_is_said_in_symbols_of_the_alphabet() -> None:
    package = pronunciations._pronouncer()._package
    ours = "".join(symbols(tuple(phones.split())) for phones in dictionary.entries().values())
    theirs = [entry for table in (package.lexicon.golds.d, package.lexicon.silvers.d) for entry in table.values()]
    every = "".join(one or "" for entry in theirs for one in (entry.values() if isinstance(entry, dict) else [entry]))
    assert len(theirs) > 180_000
    assert {*ours, *every} <= {*alphabet.ID}


def test_what_is_no_symbol_is_refused_with_its_word() -> None:
    with pytest.raises(ValueError, match=r"'ʀ' in 'ʀəʊ\.' is no symbol"):
        alphabet.ids("ðə ʀəʊ.")


@pytest.mark.long
def test_unknown_words_are_read_better_than_by_the_network_of_the_package() -> None:
    """Edits a symbol on words of the package's dictionary that the letters were not learnt from: 0.061 against 0.086."""
    from trainer.text.learn_letters import HELD_OUT, words

    golds = pronunciations._pronouncer()._package.lexicon.golds.d
    pairs = [(word, golds.get(word)) for word, _ in words()[:HELD_OUT]]
    edits = length = 0
    for word, right in pairs:
        if isinstance(right, str):
            read, wanted = (one.translate(HOW_IT_SOUNDS) for one in (symbols(letters_to_phones.predict(word)), right))
            edits += word_edits(list(wanted), list(read))
            length += len(wanted)
    assert length > 3_000
    assert edits / length < 0.063
