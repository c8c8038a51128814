"""The model that speaks says what the model says that learns, and does so at less cost."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import pytest
import torch

from trainer.models.natural import NaturalModel, one_sentence
from trainer.synthesis.natural_graphs import DecoderGraph, MelodyGraph, TimesGraph
from trainer.voice import natural_base

LENGTHS = (1, 3, 40, 101)
"""Symbols, text frames: shorter than a convolution reaches, and longer."""


@pytest.fixture(scope="module")
def model() -> NaturalModel:
    return natural_base.load()


@pytest.fixture(scope="module")
def spoken(model: NaturalModel) -> NaturalModel:
    return one_sentence.prepared(model)


@pytest.mark.parametrize("length", LENGTHS)
@torch.inference_mode()
def test_times_and_melody_are_those_of_the_model(model: NaturalModel, spoken: NaturalModel, length: int) -> None:
    symbols = torch.arange(length) % 150
    times, encoded = TimesGraph(model)(symbols)
    melody = MelodyGraph(model)(encoded, torch.arange(length))
    for ours, theirs in zip([*TimesGraph(spoken)(symbols), *MelodyGraph(spoken)(encoded, torch.arange(length))],
                            [times, encoded, *melody], strict=True):  # fmt: skip
        # To the last bit where both add in one order; another processor's library may have another one.
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", LENGTHS)
@torch.inference_mode()
def test_spectra_are_those_of_the_model(model: NaturalModel, spoken: NaturalModel, length: int) -> None:
    given = _given(length)
    (ours,), (theirs,) = DecoderGraph(spoken)(*given), DecoderGraph(model)(*given)
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_weights_are_shared_and_the_model_stays_as_it_was(model: NaturalModel, spoken: NaturalModel) -> None:
    names = {name: weights.data_ptr() for name, weights in spoken.named_parameters()}
    shared = {name for name, weights in model.named_parameters() if names.get(name) == weights.data_ptr()}
    copied = sum(weights.numel() for name, weights in model.named_parameters() if name not in shared)
    assert copied < 0.2 * sum(weights.numel() for weights in model.parameters())
    assert isinstance(model.decoder.input, torch.nn.Conv1d)
    assert isinstance(model.decoder.output, torch.nn.Linear)


@torch.inference_mode()
def test_convolutions_over_a_new_length_cost_less_than_the_models(model: NaturalModel, spoken: NaturalModel) -> None:
    spent: dict[NaturalModel, list[float]] = {model: [], spoken: []}
    for length in range(100, 140):
        x = torch.zeros(1, model.config.melody_width, length)
        for network, seconds in spent.items():
            started = time.process_time()
            for block in network.melody.blocks:
                block.depthwise(x)
            seconds.append(time.process_time() - started)
    # Medians, for what disturbs a few of them. Measured on a busy machine: 0.25.
    assert median(spent[spoken]) < 0.6 * median(spent[model])


def _given(length: int) -> tuple[torch.Tensor, ...]:
    generator = np.random.default_rng(1)
    symbols = torch.arange(length) % 150
    f0 = torch.from_numpy(generator.uniform(0.0, 300.0, 2 * length).astype(np.float32))
    energy = torch.from_numpy(generator.normal(size=2 * length).astype(np.float32))
    return symbols, torch.arange(length).repeat_interleave(2), f0, energy
