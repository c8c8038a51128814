"""The model is read from its folder alone: no network, no pickle, nothing filled in by chance."""

import json
import socket

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from trainer.audio.features import SAMPLE_RATE
from trainer.backbones.musicgen import base as bases
from trainer.backbones.musicgen import weights
from trainer.errors import RuntimeSetupError

# What transformers 4.31, which the published folder was written with, put into every part of config.json.
LEGACY = {
    "_name_or_path": "elsewhere", "add_cross_attention": False, "bad_words_ids": None, "begin_suppress_tokens": None,
    "chunk_size_feed_forward": 0, "cross_attention_hidden_size": None, "diversity_penalty": 0.0, "do_sample": False,
    "early_stopping": False, "encoder_no_repeat_ngram_size": 0, "exponential_decay_length_penalty": None, "finetuning_task": None,
    "forced_bos_token_id": None, "forced_eos_token_id": None, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "is_decoder": False,
    "label2id": {"LABEL_0": 0, "LABEL_1": 1}, "length_penalty": 1.0, "max_length": 20, "min_length": 0, "no_repeat_ngram_size": 0,
    "num_beam_groups": 1, "num_beams": 1, "num_return_sequences": 1, "output_attentions": False, "output_hidden_states": False,
    "output_scores": False, "prefix": None, "problem_type": None, "pruned_heads": {}, "remove_invalid_values": False,
    "repetition_penalty": 1.0, "return_dict": True, "return_dict_in_generate": False, "sep_token_id": None, "suppress_tokens": None,
    "task_specific_params": None, "temperature": 1.0, "tf_legacy_loss": False, "tie_encoder_decoder": False, "tokenizer_class": None,
    "top_k": 50, "top_p": 1.0, "torch_dtype": None, "torchscript": False, "transformers_version": "4.31.0.dev0", "typical_p": 1.0,
    "use_bfloat16": False,
}  # fmt: skip


def rewrite(folder, change):
    """Save the folder's tensors as `change` returns them."""
    path = folder / weights.WEIGHTS_FILE
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def refused(folder):
    with pytest.raises(RuntimeSetupError) as error:
        bases.load(weights.inspect(folder))
    assert error.value.cause == "weights_wrong_model"
    return str(error.value)


def test_loading_asks_no_network(seeded_folder, monkeypatch):
    def deny(*arguments):
        raise AssertionError(f"the network was asked for: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", deny)
    monkeypatch.setattr(socket, "getaddrinfo", deny)
    assert bases.load(weights.inspect(seeded_folder)).codebooks == 4


def test_the_base_is_frozen_and_without_dropout(base):
    assert not any(parameter.requires_grad for parameter in base.model.parameters())
    assert not any(module.training for module in base.model.modules())
    assert {parameter.dtype for parameter in base.model.parameters()} == {torch.float32}


def test_a_second_of_sound_is_fifty_frames_of_four_tokens(base):
    codes = base.tokens(np.random.default_rng(1).normal(0, 0.1, SAMPLE_RATE).astype(np.float32))
    assert codes.shape == (4, 50)
    assert codes.dtype == torch.int64
    assert int(codes.max()) < base.start_token


def test_a_prompt_becomes_states_of_the_decoders_width(base):
    states = base.condition("a person says: hello")
    assert states.shape[1] == base.decoder.config.hidden_size
    assert len(base.condition("word " * 1000)) == bases.MAX_PROMPT_TOKENS


def test_a_missing_tensor_is_not_filled_with_random_numbers(folder):
    name = "decoder.model.decoder.layers.1.fc1.weight"
    rewrite(folder, lambda tensors: {key: value for key, value in tensors.items() if key != name})
    assert name in refused(folder)


def test_a_tensor_of_another_shape_is_the_wrong_model(folder):
    name = "decoder.model.decoder.layers.1.fc1.weight"
    rewrite(folder, lambda tensors: {**tensors, name: torch.zeros(3, 3)})
    refused(folder)


def test_codebooks_that_do_not_fit_the_decoder_are_the_wrong_model(folder):
    config = json.loads((folder / "config.json").read_text())
    config["audio_encoder"]["target_bandwidths"] = [0.6]
    (folder / "config.json").write_text(json.dumps(config))
    # Its quantizers beyond the second are then strangers in the file.
    refused(folder)


def test_tensor_names_of_an_earlier_transformers_are_understood(base, folder):
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}

    def rename(tensors):
        for new, name in old.items():
            tensors = {key.replace(new, name): value for key, value in tensors.items()}
        return {**tensors, "decoder.model.decoder.embed_positions.weights": torch.zeros(2048, 32)}

    rewrite(folder, rename)
    loaded = bases.load(weights.inspect(folder))
    for name, value in base.model.state_dict().items():
        assert torch.equal(value, loaded.model.state_dict()[name]), name


def test_settings_of_an_earlier_transformers_are_understood(base, folder):
    config = json.loads((folder / "config.json").read_text())
    for part in ("text_encoder", "audio_encoder", "decoder"):
        config[part] = {
            **LEGACY,
            **{key: value for key, value in config[part].items() if key not in ("dtype", "transformers_version")},
        }
    config["torch_dtype"] = "float32"
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer |= {
        "clean_up_tokenization_spaces": True,
        "processor_class": "MusicgenProcessor",
        "tokenizer_class": "T5Tokenizer",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    loaded = bases.load(weights.inspect(folder))
    prompt = "a person says: hello"
    assert torch.equal(loaded.condition(prompt), base.condition(prompt))


def test_code_in_the_folder_is_not_run(folder):
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "evil.Evil", "AutoConfig": "evil.Evil"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(
        "import pathlib; pathlib.Path(__file__).with_name('ran').touch()\nclass Evil: pass\n"
    )
    bases.load(weights.inspect(folder))
    assert not (folder / "ran").exists()
