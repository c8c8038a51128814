"""The checkpoint holds adapters, the base's identity and the licence; it fits one base and nothing else."""

import pytest
import torch

from trainer.backbones.musicgen import adapters, document, examples
from trainer.backbones.musicgen import base as bases
from trainer.backbones.musicgen import weights as folders
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.voice.licence import MUSICGEN_LICENCE, record

pytestmark = pytest.mark.long


@pytest.fixture
def adapted(seeded_folder):
    """A base whose adapters do something."""
    base = bases.load(folders.inspect(seeded_folder))
    adapters.insert(base.decoder, rank=3, alpha=6.0, seed=1)
    with torch.no_grad():
        for parameter in adapters.parameters(base.decoder).values():
            parameter.add_(0.1)
    return base


@pytest.fixture
def written(adapted):
    return document.build(
        adapted,
        adapters.weights(adapted.decoder),
        rank=3,
        alpha=6.0,
        licence=record(MUSICGEN_LICENCE, accepted="CC-BY-NC-4.0", promote=False),
        training={"seed": 1},
    )


def refusal(call) -> str:
    with pytest.raises(CheckpointError) as error:
        call()
    return error.value.cause


def test_a_saved_voice_is_the_same_voice_in_another_base(adapted, written, base, speech, tmp_path):
    checkpoint.save(tmp_path / "voice.pt", written)
    document.apply(document.load(tmp_path / "voice.pt"), base)
    with torch.no_grad():
        assert torch.equal(examples.loss(base, speech[0][0]), examples.loss(adapted, speech[0][0]))


def test_the_checkpoint_holds_adapters_only_and_the_licence(written, tmp_path):
    checkpoint.save(tmp_path / "voice.pt", written)
    found = document.load(tmp_path / "voice.pt")
    assert all("lora_" in name for name in found["model"])
    assert found["licence"]["spdx"] == "CC-BY-NC-4.0"
    assert found["licence"]["promotable"] is False
    assert checkpoint.content_sha256(found) == checkpoint.content_sha256(written)


def test_adapters_of_other_weights_are_refused(written, base):
    written["config"]["base"]["identity"] = "0" * 64
    assert refusal(lambda: document.apply(written, base)) == "wrong_base"


@pytest.mark.parametrize(
    "value", [{"rank": 4}, {"rank": 0}, {"rank": 10**9}, {"rank": True}, {"alpha": float("nan")}, {"targets": ".*"}]
)
def test_a_config_that_does_not_fit_its_tensors_is_refused(value, written, base):
    written["config"]["adapter"].update(value)
    assert refusal(lambda: document.apply(written, base)) == "wrong_format"


@pytest.mark.parametrize("part", ["config", "model", "features", "licence", "training", "format", "version"])
def test_a_document_without_a_part_is_refused(part, written, tmp_path):
    del written[part]
    checkpoint.save(tmp_path / "voice.pt", written)
    assert refusal(lambda: document.load(tmp_path / "voice.pt")) == "wrong_format"


def test_numbers_that_are_not_finite_and_records_without_a_verdict_are_refused(written, tmp_path):
    name = next(iter(written["model"]))
    spoilt = {**written, "model": {**written["model"], name: torch.full((2,), float("nan"))}}
    unlicensed = {**written, "licence": {"spdx": "CC-BY-NC-4.0", "promotable": "yes"}}
    for value in (spoilt, unlicensed):
        checkpoint.save(tmp_path / "voice.pt", value)
        assert refusal(lambda: document.load(tmp_path / "voice.pt")) == "wrong_format"
