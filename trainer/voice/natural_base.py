"""The base of the natural voices, shipped with the package: hibari-tts's weights in our network, and a decoder that many readers taught.

See natural/MODEL_CARD.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from trainer.errors import RuntimeSetupError
from trainer.files.checkpoint import CheckpointError
from trainer.models.natural import NaturalConfig, NaturalModel
from trainer.models.natural.many_speakers import ManySpeakers
from trainer.voice import shipped_files
from trainer.voice.weights import with_weights

FOLDER = Path(__file__).with_name("natural")
WEIGHTS = "natural.pt"
FORMAT = "voice-acceptance/natural-base"
SPEAKERS = "many_speakers.pt"
SPEAKERS_FORMAT = "voice-acceptance/many-speakers"
VERSION = 1
_HELP = "install the package again"


def load(folder: Path = FOLDER) -> NaturalModel:
    """The base in evaluation mode; raises RuntimeSetupError(weights_missing_offline | weights_corrupt)."""
    return _network(NaturalModel, folder, WEIGHTS, FORMAT)


def load_speakers(folder: Path = FOLDER) -> ManySpeakers:
    """The decoder of many readers, in evaluation mode; raises as `load`."""
    return _network(ManySpeakers, folder, SPEAKERS, SPEAKERS_FORMAT)


def for_speaker(vector: torch.Tensor | None) -> NaturalModel:
    """The base as it speaks for who has this GE2E vector (256,), or as it is for None: what a training starts from. Raises as `load`."""
    model = load()
    if vector is not None:
        model.decoder = load_speakers().told(vector)
    return model.eval()


def _network(kind: type[Any], folder: Path, name: str, form: str) -> Any:
    document = shipped_files.document(name, form, folder)
    try:
        config = NaturalConfig.from_dict(document["config"])
        return with_weights(kind, config, document["model"], "natural base").eval()
    except (CheckpointError, ValueError, KeyError, TypeError) as error:
        raise RuntimeSetupError(f"{folder / name}: {error}; {_HELP}", cause="weights_corrupt") from error


def hashes(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 by file name; raises RuntimeSetupError as `shipped_files.hashes`."""
    return shipped_files.hashes(folder)
