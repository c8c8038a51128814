"""Words in their sentence become the symbols that the natural voices read."""

import shutil
from pathlib import Path

import pytest

from trainer import text
from trainer.errors import RuntimeSetupError
from trainer.models.natural import alphabet

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from hibari import g2p

from trainer.models.natural import pronunciations
from trainer.models.natural.pronunciations import phonemes


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


@pytest.mark.parametrize("name", ["lexicon_us_gold.json.gz", "oov.onnx"])
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


def test_the_network_for_unknown_words_is_read_with_the_dictionaries() -> None:
    assert pronunciations._pronouncer()._oov is not None
