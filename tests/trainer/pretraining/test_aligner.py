"""The aligner that is shipped can be learnt again: the same bytes for the same seed, and what people say moves it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from trainer.errors import RuntimeSetupError
from trainer.files import plain_file
from trainer.models.aligner import load_aligner, save_aligner
from trainer.pretraining import aligner, people
from trainer.pretraining.speakers import speakers
from trainer.teachers import flite
from trainer.voice import shipped_files

pytest.importorskip("pocketsphinx")
pytestmark = pytest.mark.long

_needs_flite = pytest.mark.skipif(not flite.available(), reason="flite is not installed")


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    spoken = flite.speak("The garden behind this house is quiet. We saw seven yellow boats.", "slt")
    soundfile.write(folder / "1.flac", spoken.wave, spoken.sample_rate)
    return folder


def test_the_voice_of_the_tests_is_not_in_the_cast_and_the_shares_add_up() -> None:
    cast = speakers(0)
    assert {speaker.voice for speaker in cast} == {"slt", "rms"} and len({speaker.name for speaker in cast}) == len(
        cast
    )
    assert sum(speaker.weight for speaker in cast) == pytest.approx(1.0)
    assert speakers(0) == cast != speakers(1)


@_needs_flite
def test_equal_seeds_give_equal_bytes_and_people_move_it(waves: Path, tmp_path: Path) -> None:
    told: list[str] = []
    settings = {"utterances": 24, "processes": 1, "log": told.append}
    digests = [save_aligner(tmp_path / f"{place}.pt", aligner.learn(place, **settings))
               for place in (None, None, waves)]  # fmt: skip
    assert digests[0] == digests[1] != digests[2]
    assert told[-2:] == ["24 of 24 sentences of flite", "1 of 1 clips"]


@_needs_flite
def test_what_was_learnt_is_put_in_place_with_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn = aligner.learn
    monkeypatch.setattr(aligner, "learn", lambda waves, **given: learn(waves, utterances=3, **given))
    found = aligner.ship(None, tmp_path, processes=1, log=lambda line: None)
    written = tmp_path / shipped_files.ALIGNER
    assert found == json.loads((tmp_path / "hashes.json").read_text()) == {written.name: plain_file.sha256(written)}
    assert np.isfinite(load_aligner(written).means).all()


def test_without_flite_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flite, "available", lambda: False)
    with pytest.raises(RuntimeSetupError, match="apt-get install flite") as caught:
        aligner.learn(None, processes=1, log=lambda line: None)
    assert caught.value.cause == "missing_program"


def test_a_text_without_words_gives_none_and_the_last_word_ends_the_sentence() -> None:
    assert people.recognised_words("") == ()
    assert [word.mark for word in people.recognised_words("one, two three")] == ["", "", "."]
