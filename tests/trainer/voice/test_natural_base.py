"""What a training starts from: the base, told who speaks where there is a vector."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from trainer.models.speaker_encoder import DIMENSIONS
from trainer.voice import natural_base

VECTOR = F.normalize(torch.ones(DIMENSIONS), dim=0)


def test_without_a_vector_a_training_starts_from_the_base_itself():
    base, begun = natural_base.load().state_dict(), natural_base.for_speaker(None).state_dict()
    assert all(torch.equal(begun[name], base[name]) for name in base)


def test_with_a_vector_the_decoder_is_that_of_many_readers_and_all_else_the_bases():
    base, begun = natural_base.load().state_dict(), natural_base.for_speaker(VECTOR)
    told = natural_base.load_speakers().told(VECTOR).state_dict()
    assert all(torch.equal(begun.decoder.state_dict()[name], told[name]) for name in told)
    others = [name for name in base if not name.startswith("decoder.")]
    assert others and all(torch.equal(begun.state_dict()[name], base[name]) for name in others)
    assert not begun.training


def test_two_speakers_start_from_two_decoders():
    other = F.normalize(torch.arange(float(DIMENSIONS)), dim=0)
    first, second = (natural_base.for_speaker(one).decoder.norm.weight for one in (VECTOR, other))
    assert not torch.equal(first, second)
