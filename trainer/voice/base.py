"""The base: weights that every voice starts from, made by `voice pretrain` and shipped with the package; see MODEL_CARD.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.errors import RuntimeSetupError
from trainer.files.checkpoint import CheckpointError
from trainer.models.acoustic import AcousticConfig, AcousticModel
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.voice.shipped_files import FOLDER, HELP, document
from trainer.voice.weights import with_weights

ACOUSTIC_FORMAT = "voice-acceptance/acoustic-base"
VOCODER_FORMAT = "voice-acceptance/vocoder-base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The models that an adaptation starts from; they are copied, never changed."""

    acoustic: AcousticModel
    vocoder: Vocoder


def load(folder: Path = FOLDER) -> Base:
    """Both models in evaluation mode; raises RuntimeSetupError(weights_missing_offline | weights_corrupt)."""
    acoustic = document("acoustic.pt", ACOUSTIC_FORMAT, folder)
    vocoder = document("vocoder.pt", VOCODER_FORMAT, folder)
    try:
        acoustic_config = AcousticConfig.from_dict(acoustic["config"])
        vocoder_config = VocoderConfig.from_dict(vocoder["config"])
        return Base(
            acoustic=with_weights(AcousticModel, acoustic_config, acoustic["model"], "acoustic base").eval(),
            vocoder=with_weights(Vocoder, vocoder_config, vocoder["model"], "vocoder base").eval(),
        )
    except (CheckpointError, ValueError, KeyError, TypeError) as error:
        raise RuntimeSetupError(f"{folder}: {error}; {HELP}", cause="weights_corrupt") from error
