"""Utterances as tokens with prompts: their loss is the one that MusicGen was trained with."""

import numpy as np
import pytest
import torch

from trainer.backbones.musicgen import delay, examples
from trainer.training import determinism


def test_a_transcript_becomes_the_prompt_and_none_a_neutral_one():
    assert examples.prompt("Good\tmorning,\n all.") == "a person says: Good morning, all."
    assert examples.prompt("") == examples.prompt(" \n\0") == examples.NEUTRAL_PROMPT
    assert len(examples.prompt("word " * 5000)) < 500


def test_a_long_utterance_is_cut(base):
    wave = np.zeros(22_050 * 3, dtype=np.float32)
    assert examples.encode(base, wave, "", max_seconds=1.0).codes.shape == (4, 50)


def test_the_loss_is_that_of_transformers_own_training(base, speech):
    example = speech[0][0]
    inputs, labels = delay.arrange(example.codes, start_token=base.start_token)
    theirs = base.decoder(input_ids=inputs, encoder_hidden_states=example.condition[None], labels=labels.T[None]).loss
    assert float(examples.loss(base, example)) == pytest.approx(float(theirs), rel=1e-5)


def test_the_condition_is_what_the_whole_model_makes_of_the_prompt(base, speech):
    example = speech[0][0]
    inputs, labels = delay.arrange(example.codes, start_token=base.start_token)
    with torch.no_grad():
        whole = base.model(
            **base.tokenizer(examples.prompt("la la la"), return_tensors="pt"), decoder_input_ids=inputs
        ).logits
        assert float(delay.cross_entropy(whole, labels)) == pytest.approx(float(examples.loss(base, example)), rel=1e-5)


def test_without_its_prompt_an_example_hears_what_generation_without_one_hears(base, speech):
    example = speech[0][0]
    inputs, labels = delay.arrange(example.codes, start_token=base.start_token)
    null = base.model.get_unconditional_inputs(1)
    with torch.no_grad():
        theirs = base.model(
            encoder_outputs=null.encoder_outputs, attention_mask=null.attention_mask, decoder_input_ids=inputs
        ).logits
        ours = examples.loss(base, examples.without_prompt(example))
    assert float(ours) == pytest.approx(float(delay.cross_entropy(theirs, labels)), rel=1e-4)


def test_batches_depend_on_the_generator_alone(speech):
    def draw(seed):
        batch = examples.random_batch(speech[0], size=3, prompt_dropout=0.5, generator=determinism.generator(seed))
        return [(example.codes.tolist(), len(example.condition)) for example in batch]

    assert draw(4) == draw(4)
    assert any(draw(4) != draw(seed) for seed in (5, 6, 7))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_prompts_are_dropped_by_the_share_asked_for(share, speech):
    batch = examples.random_batch(speech[0], size=9, prompt_dropout=share, generator=determinism.generator(1))
    assert batch and all((len(example.condition) == 1) == bool(share) for example in batch)
