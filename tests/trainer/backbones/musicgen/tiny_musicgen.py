"""A MusicGen in miniature: the file formats and classes of the real one, a few thousand random weights, its own little tokenizer.

It says nothing about the real weights: only that loading, adapting, saving and generating work on a folder of this form.
"""

from __future__ import annotations

import string
from pathlib import Path

import torch

CODEBOOK_SIZE = 64
CODEBOOKS = 4


def write(directory: Path, *, seed: int = 1) -> Path:
    """Save the model and its tokenizer as a pre-seeded folder; returns it."""
    from transformers import MusicgenForConditionalGeneration

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = MusicgenForConditionalGeneration(_config())
        _fill_codebooks(model.audio_encoder)
    model.generation_config.update(
        do_sample=True, guidance_scale=3.0, max_length=1500, pad_token_id=CODEBOOK_SIZE, bos_token_id=CODEBOOK_SIZE,
        decoder_start_token_id=CODEBOOK_SIZE,
    )  # fmt: skip
    model.save_pretrained(directory)
    _tokenizer().save_pretrained(directory)
    return directory


@torch.no_grad()
def _fill_codebooks(encodec) -> None:
    """Entries from what the encoder makes of noise; EnCodec starts with zeros, and every sound would be token 0."""
    noise = torch.randn(1, 1, 64_000) * torch.linspace(0.0, 1.0, 64_000)
    residual = encodec.encoder(noise)
    for layer in encodec.quantizer.layers:
        picks = torch.randperm(residual.shape[2])[:CODEBOOK_SIZE]
        layer.codebook.embed.copy_(residual[0, :, picks].T)
        residual = residual - layer.decode(layer.encode(residual))


def _config():
    from transformers import EncodecConfig, MusicgenConfig, MusicgenDecoderConfig, T5Config

    text = T5Config(
        vocab_size=128,
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        is_encoder_decoder=False,
        use_cache=False,
    )
    audio = EncodecConfig(
        sampling_rate=32_000, target_bandwidths=[1.2], upsampling_ratios=[8, 5, 4, 4], codebook_size=CODEBOOK_SIZE,
        num_filters=2, hidden_size=8, num_lstm_layers=1, use_causal_conv=False, use_conv_shortcut=False,
    )  # fmt: skip
    decoder = MusicgenDecoderConfig(
        vocab_size=CODEBOOK_SIZE, hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=2,
        num_codebooks=CODEBOOKS, initializer_factor=0.1, pad_token_id=CODEBOOK_SIZE, bos_token_id=CODEBOOK_SIZE,
    )  # fmt: skip
    return MusicgenConfig(text_encoder=text, audio_encoder=audio, decoder=decoder)


def _tokenizer():
    """T5's kind of tokenizer over single characters."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import T5TokenizerFast

    symbols = ["<pad>", "</s>", "<unk>", "▁", *string.printable[:95].replace(" ", "")]
    tokenizer = Tokenizer(models.Unigram([(symbol, -1.0) for symbol in symbols], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return T5TokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", extra_ids=0
    )
