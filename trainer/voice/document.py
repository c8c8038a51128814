"""The document of a finished voice, strictly read: everything that synthesis needs, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.audio import features
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.files.printable import NAME_WIDTH, printable
from trainer.models.acoustic import AcousticConfig, AcousticModel, Speaker
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.text.phones import SYMBOLS
from trainer.voice.weights import with_weights

FORMAT = "voice-acceptance/voice"
VERSION = 2
_PARTS = ("acoustic", "vocoder", "speaker", "features", "training")


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Models in evaluation mode, the speaker, and `training` as it was written."""

    acoustic: AcousticModel
    vocoder: Vocoder
    speaker: Speaker
    training: dict[str, Any]


def document(
    *,
    acoustic: AcousticModel,
    vocoder: Vocoder,
    speaker: Speaker,
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """What `restore` reads."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "acoustic": {"config": acoustic.config.as_dict(), "weights": acoustic.state_dict()},
        "vocoder": {"config": vocoder.config.as_dict(), "weights": vocoder.state_dict()},
        "speaker": speaker.as_dict(),
        "symbols": list(SYMBOLS),
        "features": features.description(),
        "training": dict(training),
    }


def load(path: Path) -> Voice:
    """The voice in a file; raises CheckpointError for everything that is none."""
    return restore(checkpoint.read_container(path))


def restore(values: Mapping[str, Any]) -> Voice:
    """The voice of a document; raises CheckpointError(wrong_format) where anything is missing, does not fit or is not finite."""
    checkpoint.require_plain(values, besides=("acoustic.weights", "vocoder.weights", "speaker", "network.weights"))
    _check_version(values)
    for part in _PARTS:
        if not isinstance(values.get(part), dict):
            raise CheckpointError(f"the part {part!r} is missing", cause="wrong_format")
    if values.get("symbols") != list(SYMBOLS):
        raise CheckpointError("the voice speaks other symbols than this program", cause="wrong_format")
    if values["features"] != features.description():
        raise CheckpointError("the voice was made with other features than this program's", cause="wrong_format")
    try:
        speaker = Speaker.from_dict(values["speaker"])
        acoustic_config = AcousticConfig.from_dict(_config(values["acoustic"]))
        vocoder_config = VocoderConfig.from_dict(_config(values["vocoder"]))
    except ValueError as error:
        raise CheckpointError(str(error), cause="wrong_format") from error
    acoustic = with_weights(AcousticModel, acoustic_config, values["acoustic"].get("weights"), "acoustic model")
    vocoder = with_weights(Vocoder, vocoder_config, values["vocoder"].get("weights"), "vocoder")
    return Voice(
        acoustic=acoustic.eval(),
        vocoder=vocoder.eval(),
        speaker=speaker,
        training=dict(values["training"]),
    )


def _check_version(values: Mapping[str, Any]) -> None:
    form, version = values.get("format"), values.get("version")
    if not isinstance(form, str) or not form.startswith("voice-acceptance/"):
        raise CheckpointError("not a voice of this project", cause="wrong_format")
    if form != FORMAT or version != VERSION:
        raise CheckpointError(
            f"this is {printable(form, NAME_WIDTH)} version {version!s:.20}; this program reads {FORMAT} version {VERSION}: train the voice again",
            cause="wrong_format",
        )


def _config(part: Mapping[str, Any]) -> Mapping[str, Any]:
    config = part.get("config")
    if not isinstance(config, dict):
        raise ValueError("a config is missing")
    return config
