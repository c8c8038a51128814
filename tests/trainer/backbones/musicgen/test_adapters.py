"""Adapters sit inside every block, start as nothing, and are all that can be trained."""

import pytest
import torch

from trainer.backbones.musicgen import adapters, examples


def test_fresh_adapters_change_nothing(base, speech):
    with torch.no_grad():
        before = examples.loss(base, speech[0][0])
        adapters.insert(base.decoder, rank=4, alpha=8.0, seed=1)
        assert torch.equal(examples.loss(base, speech[0][0]), before)


def test_every_block_has_adapters_in_both_attentions_and_the_feed_forward_part(base):
    adapters.insert(base.decoder, rank=4, alpha=8.0, seed=1)
    names = adapters.parameters(base.decoder)
    for layer in range(base.decoder.config.num_hidden_layers):
        for place in (
            "self_attn.q_proj",
            "self_attn.v_proj",
            "encoder_attn.q_proj",
            "encoder_attn.v_proj",
            "fc1",
            "fc2",
        ):
            assert sum(f"layers.{layer}.{place}.lora_" in name for name in names) == 2
    assert len(names) == base.decoder.config.num_hidden_layers * 12


def test_nothing_else_can_be_trained(base, speech):
    adapters.insert(base.decoder, rank=4, alpha=8.0, seed=1)
    examples.loss(base, speech[0][0]).backward()
    assert all(("lora_" in name) == parameter.requires_grad for name, parameter in base.model.named_parameters())
    assert all(parameter.grad is None for parameter in base.model.parameters() if not parameter.requires_grad)


def test_a_seed_gives_the_same_adapters_and_leaves_the_global_generator_alone(seeded_folder, base):
    from trainer.backbones.musicgen import base as bases
    from trainer.backbones.musicgen import weights

    other = bases.load(weights.inspect(seeded_folder))
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    adapters.insert(base.decoder, rank=4, alpha=8.0, seed=1)
    assert torch.equal(torch.rand(3), expected)
    adapters.insert(other.decoder, rank=4, alpha=8.0, seed=1)
    for name, value in adapters.weights(base.decoder).items():
        assert torch.equal(value, adapters.weights(other.decoder)[name])


def spoilt(tensors, how):
    name = next(iter(tensors))
    return {
        "missing": {key: value for key, value in tensors.items() if key != name},
        "additional": {**tensors, "model.decoder.layers.9.fc1.lora_A.weight": tensors[name]},
        "shape": {**tensors, name: tensors[name][:1]},
        "type": {**tensors, name: tensors[name].half()},
    }[how]


@pytest.mark.parametrize("how", ["missing", "additional", "shape", "type"])
def test_restoring_takes_exactly_these_tensors(how, base):
    adapters.insert(base.decoder, rank=4, alpha=8.0, seed=1)
    with pytest.raises(ValueError, match="not those"):
        adapters.restore(base.decoder, spoilt(adapters.weights(base.decoder), how))
