"""A natural voice carries the licence of its base, strictly read, and the scorecard is told of it."""

from pathlib import Path

import pytest

from tests.trainer.backbones.natural.conftest import CONFIG
from trainer.errors import RuntimeSetupError
from trainer.evaluation import checkpoints
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.natural import NaturalModel
from trainer.voice import natural_document, natural_licence
from trainer.voice.natural_document import NaturalSpeaker


@pytest.fixture(scope="module")
def values() -> dict:
    model = NaturalModel.untrained(CONFIG, seed=0).eval()
    return natural_document.document(model=model, speaker=NaturalSpeaker(), training={})


def test_the_checkpoint_has_the_notice_of_the_base_and_says_what_was_changed(values, tmp_path):
    checkpoint.save(tmp_path / "voice.pt", values)
    found = natural_document.load(tmp_path / "voice.pt").licence
    assert found is not None and found["spdx"] == "Apache-2.0" and found["promotable"] is True
    assert found["notice"].startswith(natural_licence.NOTICE.read_text("utf-8")) and "Kokoro-82M" in found["notice"]
    assert found["notice"].endswith(natural_licence.READERS.read_text("utf-8")) and "LibriSpeech" in found["notice"]
    assert "trained on one speaker" in found["changes"]
    told = checkpoints.read(tmp_path / "voice.pt").licence
    assert told == checkpoints.Licence(name="Apache-2.0", promotable=True)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"promotable": "yes"}, "promotable is neither"), ({"commercial_use": 1}, "commercial_use is neither"),
        ({"spdx": ""}, "spdx is no text"), ({"notice": "x" * 10_001}, "notice is no text"), ({"holder": ["a"]}, "holder is no text"),
        ({"more": "a"}, "has not exactly"),
    ],
)  # fmt: skip
def test_a_record_that_is_none_is_refused(change, problem, values):
    with pytest.raises(CheckpointError, match=problem) as caught:
        natural_document.restore({**values, "licence": {**values["licence"], **change}})
    assert caught.value.cause == "wrong_format"


@pytest.mark.parametrize("record", [None, "Apache-2.0", {}])
def test_what_stands_in_the_place_of_a_record_is_refused(record, values):
    with pytest.raises(CheckpointError, match="has not exactly"):
        natural_document.restore({**values, "licence": record})


def test_a_file_from_before_there_was_a_record_still_speaks(values):
    old = {key: value for key, value in values.items() if key != "licence"}
    assert natural_document.restore(old).licence is None


def test_without_the_notice_no_voice_is_written(monkeypatch):
    monkeypatch.setattr(natural_licence, "NOTICE", Path("nowhere/NOTICE.txt"))
    with pytest.raises(RuntimeSetupError, match="may not be given away") as caught:
        natural_licence.record()
    assert caught.value.cause == "weights_corrupt"
