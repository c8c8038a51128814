"""Measuring again: what a checkpoint claims is not believed, what it holds is checked."""

import dataclasses

import pytest
import torch

from trainer.backbones.vocoder import evaluation
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.vocoder import Vocoder, VocoderConfig

CONFIG = VocoderConfig(width=16, hidden=32, blocks=1)


def document(model: Vocoder, **changes):
    return {"format": checkpoint.FORMAT, "version": checkpoint.VERSION, "config": model.config.as_dict(), "model": model.state_dict(),
            "features": {}, "training": {}, **changes}  # fmt: skip


def test_an_untrained_checkpoint_has_no_improvement(small_manifest, tmp_path):
    checkpoint.save(tmp_path / "voice.pt", document(Vocoder.untrained(CONFIG, seed=0)))
    measured = evaluation.remeasure(tmp_path / "voice.pt", small_manifest, seed=0, heldout_seconds=6.0)
    assert measured["improvement"] == measured["control_improvement"] == 0.0


def test_the_same_files_give_the_same_numbers(small_manifest, tmp_path):
    checkpoint.save(tmp_path / "voice.pt", document(Vocoder.untrained(CONFIG, seed=0)))
    results = [
        evaluation.remeasure(tmp_path / "voice.pt", small_manifest, seed=0, heldout_seconds=6.0) for _ in range(2)
    ]
    assert results[0] == results[1]


def test_tensors_of_another_network_are_refused():
    other = Vocoder(dataclasses.replace(CONFIG, width=24))
    with pytest.raises(CheckpointError, match="not those") as caught:
        evaluation.restore(document(other, config={**CONFIG.as_dict(), "width": 16}))
    assert caught.value.cause == "wrong_format"


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"width": 2048, "hidden": 8192, "blocks": 64, "kernel": 31},
        {"width": "16", "hidden": 32, "blocks": 1, "kernel": 7},
    ],
)
def test_a_config_that_its_tensors_do_not_justify_is_refused_before_anything_is_built(config):
    with pytest.raises(CheckpointError):
        evaluation.restore(document(Vocoder(CONFIG), config=config))


def test_integer_tensors_are_not_weights():
    model = Vocoder(CONFIG)
    weights = {name: value.to(torch.int64) for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError, match="not those"):
        evaluation.restore({**document(model), "model": weights})
