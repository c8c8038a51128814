"""The delay pattern is MusicGen's own, and loses no token."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.backbones.musicgen import delay

START = 99
shapes = st.tuples(st.integers(1, 6), st.integers(1, 20))


def codes_of(shape):
    return torch.arange(shape[0] * shape[1]).reshape(shape) % START


@given(shapes)
def test_every_token_is_a_label_once_and_in_order(shape):
    codes = codes_of(shape)
    _, labels = delay.arrange(codes, start_token=START)
    for codebook, row in enumerate(labels):
        assert row[row != delay.IGNORED].tolist() == codes[codebook].tolist()
        assert (row[:codebook] == delay.IGNORED).all()


@given(shapes)
def test_an_input_is_the_label_of_the_step_before(shape):
    inputs, labels = delay.arrange(codes_of(shape), start_token=START)
    assert (inputs[:, 0] == START).all()
    before = labels[:, :-1]
    assert torch.equal(inputs[:, 1:], before.masked_fill(before == delay.IGNORED, START))


def test_the_pattern_is_that_of_generation(base):
    codes = codes_of((4, 9)) % 64
    inputs, _ = delay.arrange(codes, start_token=base.start_token)
    start = torch.full((4, 1), base.start_token)
    prompt = torch.cat([start, codes], dim=1)
    _, theirs = base.decoder.build_delay_pattern_mask(prompt, pad_token_id=base.start_token, max_length=9 + 4)
    # Theirs marks with -1 what generation would fill; here nothing is left to fill but the padding at the end.
    assert torch.equal(inputs, theirs[:, : inputs.shape[1]])


def test_the_loss_sees_only_labels_of_speech():
    labels = torch.tensor([[3, delay.IGNORED], [delay.IGNORED, 5]])
    logits = torch.zeros(2, 2, 8, requires_grad=True)
    loss = delay.cross_entropy(logits, labels)
    assert float(loss.detach()) == pytest.approx(math.log(8))
    loss.backward()
    assert (logits.grad[labels == delay.IGNORED] == 0).all()
    assert (logits.grad[labels != delay.IGNORED] != 0).all()
