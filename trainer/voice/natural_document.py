"""The document of a natural voice, strictly read: the network, what is known of the speaker, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.files.printable import NAME_WIDTH, printable
from trainer.models.natural import NaturalConfig, NaturalModel, alphabet
from trainer.voice import natural_licence
from trainer.voice.natural_speaker import NaturalSpeaker
from trainer.voice.weights import with_weights

FORMAT = "voice-acceptance/natural-voice"
VERSION = 1
_SYMBOLS = "".join(alphabet.ID)
_FIRST_GENERATION = "voice-acceptance/voice"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredNatural:
    """The model in evaluation mode, the speaker, and `training` as it was written."""

    model: NaturalModel
    speaker: NaturalSpeaker
    training: dict[str, Any]
    licence: dict[str, Any] | None = None
    """None in a file that was written before there was a record."""


def document(*, model: NaturalModel, speaker: NaturalSpeaker, training: Mapping[str, Any]) -> dict[str, Any]:
    """What `restore` reads."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "network": {"config": model.config.as_dict(), "weights": model.state_dict()},
        "speaker": asdict(speaker),
        "symbols": _SYMBOLS,
        "licence": natural_licence.record(),
        "training": dict(training),
    }


def load(path: Path) -> RestoredNatural:
    """The voice in a file; raises CheckpointError for everything that is none."""
    return restore(checkpoint.read_container(path))


def restore(values: Mapping[str, Any]) -> RestoredNatural:
    """The voice of a document; raises CheckpointError(wrong_format) where anything is missing, does not fit or is not finite."""
    if isinstance(values.get("format"), str) and values["format"] != FORMAT:
        check_version(values)  # its tensors may lie elsewhere
    checkpoint.require_plain(values, besides=("network.weights",))
    check_version(values)
    for part in ("network", "speaker", "training"):
        if not isinstance(values.get(part), dict):
            raise CheckpointError(f"the part {part!r} is missing", cause="wrong_format")
    if values.get("symbols") != _SYMBOLS:
        raise CheckpointError("the voice speaks other symbols than this program", cause="wrong_format")
    network = values["network"]
    try:
        if not isinstance(network.get("config"), dict):
            raise ValueError("a config is missing")
        config = NaturalConfig.from_dict(network["config"])
        if config.symbols != alphabet.SIZE:
            raise ValueError("the network has another number of symbols than the alphabet")
        speaker = NaturalSpeaker(**values["speaker"])
        model = with_weights(NaturalModel, config, network.get("weights"), "natural voice")
    except (ValueError, TypeError) as error:
        raise CheckpointError(str(error), cause="wrong_format") from error
    licence = natural_licence.read(values["licence"]) if "licence" in values else None
    return RestoredNatural(model=model.eval(), speaker=speaker, training=dict(values["training"]), licence=licence)


def check_version(values: Mapping[str, Any]) -> None:
    """Raises CheckpointError(wrong_format) for a document of another kind, and says which."""
    form, version = values.get("format"), values.get("version")
    if type(form) is str and type(version) is int and (form, version) == (FORMAT, VERSION):
        return
    if form == _FIRST_GENERATION:
        raise CheckpointError(
            "this is a voice of the earlier backbone spectral-adapter, which this program no longer reads: train the voice again",
            cause="wrong_format",
        )
    if not isinstance(form, str) or not form.startswith("voice-acceptance/"):
        raise CheckpointError("not a voice of this project", cause="wrong_format")
    raise CheckpointError(
        f"this is {printable(form, NAME_WIDTH)} version {version!s:.20}; this program reads {FORMAT} version {VERSION}: train the voice again",
        cause="wrong_format",
    )
