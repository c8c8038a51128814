"""The frozen model: what a wave is in EnCodec tokens, what a prompt is to the decoder, and the way back to a wave."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
import torch

from trainer.audio import features
from trainer.backbones.musicgen.weights import SAMPLE_RATE, WeightsFolder, preseeding
from trainer.errors import RuntimeSetupError, from_import_error

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Set before the first import: nothing here may ask a hub for anything."""
MAX_PROMPT_TOKENS = 128
_BLOCK = re.compile(r"\.(?:layers|block|lm_heads)\.\d+\.")
"""Where an unknown tensor means another model. Elsewhere it is what an earlier transformers stored (sinusoids, tied embeddings)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicgenBase:
    """A loaded MusicGen; `model` stays in evaluation mode, so that no dropout makes two runs differ."""

    model: Any
    tokenizer: Any
    identity: str

    @property
    def decoder(self) -> Any:
        """The language model over tokens (MusicgenForCausalLM)."""
        return self.model.decoder

    @property
    def codebooks(self) -> int:
        """EnCodec's codebooks, a token of each per frame."""
        return self.model.decoder.config.num_codebooks

    @property
    def start_token(self) -> int:
        """The token that stands where there is none yet: before the start and in the delay."""
        return self.model.decoder.config.pad_token_id

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return SAMPLE_RATE / self.model.audio_encoder.config.hop_length

    @torch.no_grad()
    def tokens(self, wave: np.ndarray) -> torch.Tensor:
        """(samples,) float32 at 22.05 kHz -> (codebooks, frames) int64."""
        resampled = soxr.resample(wave, features.SAMPLE_RATE, SAMPLE_RATE)
        values = torch.from_numpy(np.ascontiguousarray(resampled, dtype=np.float32))[None, None]
        codes = self.model.audio_encoder.encode(values.to(self.model.device), return_dict=True).audio_codes
        return codes[0, 0].to("cpu", torch.int64)

    @torch.no_grad()
    def condition(self, prompt: str) -> torch.Tensor:
        """A prompt as the decoder attends to it: (length, hidden) float32."""
        tokens = self.tokenizer(prompt, return_tensors="pt", truncation=True, max_length=MAX_PROMPT_TOKENS).to(
            self.model.device
        )
        states = self.model.text_encoder(**tokens).last_hidden_state
        projection = getattr(self.model, "enc_to_dec_proj", None)
        return (states if projection is None else projection(states))[0].cpu()


def load(folder: WeightsFolder) -> MusicgenBase:
    """Read the model onto the CPU, frozen and in float32; raises RuntimeSetupError(weights_wrong_model) and what an import can raise."""
    os.environ.update(OFFLINE)
    try:
        from transformers import AutoTokenizer, MusicgenForConditionalGeneration
        from transformers.utils import logging
    except (ImportError, OSError, ValueError, AttributeError) as error:
        raise from_import_error(error) from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder.directory, local_files_only=True, trust_remote_code=False)
        # Eager attention: the fused kernels on CUDA have no deterministic backward pass.
        model, loading = MusicgenForConditionalGeneration.from_pretrained(
            folder.directory,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation="eager",
            output_loading_info=True,
        )
    # transformers raises whatever its parsers raise; all but a lack of memory says that the files are not this model.
    except Exception as error:
        if isinstance(error, MemoryError) or "memory" in str(error):
            raise
        raise _wrong(folder, f"{type(error).__name__}: {' '.join(str(error).split())[:160]}") from error
    _check_loading(folder, loading)
    base = MusicgenBase(model=model.eval().requires_grad_(False), tokenizer=tokenizer, identity=folder.identity)
    _check_tokens(folder, base)
    return base


def _check_loading(folder: WeightsFolder, loading: dict[str, Any]) -> None:
    """transformers fills what is missing with random numbers and goes on; that must end here."""
    missing = sorted(loading["missing_keys"])
    strange = sorted(key for key in loading["unexpected_keys"] if _BLOCK.search(key))
    mismatched = sorted(str(key) for key in loading["mismatched_keys"])
    for names, what in ((missing, "lack"), (strange, "have besides"), (mismatched, "have in another shape")):
        if names:
            raise _wrong(folder, f"they {what} {len(names)} tensors, first {names[0]}")


def _check_tokens(folder: WeightsFolder, base: MusicgenBase) -> None:
    """EnCodec speaks as many codebooks, with as many tokens each, as the decoder expects."""
    audio = base.model.audio_encoder.config
    codebooks = base.tokens(np.zeros(features.SAMPLE_RATE, dtype=np.float32)).shape[0]
    sizes = (base.decoder.config.vocab_size, base.start_token)
    if codebooks != base.codebooks or sizes != (audio.codebook_size, audio.codebook_size):
        raise _wrong(
            folder,
            f"EnCodec gives {codebooks} codebooks of {audio.codebook_size}, the decoder takes {base.codebooks} of {sizes[0]}",
        )


def _wrong(folder: WeightsFolder, problem: str) -> RuntimeSetupError:
    return RuntimeSetupError(
        f"the weights in {folder.directory} are not a whole MusicGen: {problem}; {preseeding(folder.directory)}",
        cause="weights_wrong_model",
    )
