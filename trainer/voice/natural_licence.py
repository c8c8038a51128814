"""The licence record of a natural voice: whose work its base is, under which terms, and what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer.errors import RuntimeSetupError
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError
from trainer.files.tensor_archive import CheckpointError  # imports no torch, as a consent record needs none
from trainer.voice.licence import Licence

NATURAL_LICENCE = Licence(
    spdx="Apache-2.0",
    work="hibari-tts 0.2.1, distilled from Kokoro-82M",
    holder="Maureese Williams; Kokoro-82M: hexgrad",
    source="hibari-tts 0.2.1",
    text="https://www.apache.org/licenses/LICENSE-2.0",
    commercial_use=True,
)
NOTICE, READERS = (Path(__file__).with_name("natural") / name for name in ("NOTICE.txt", "NOTICE_READERS.txt"))
CHANGES = (
    "The weights were read from the package's ONNX file, widened, and stored in half precision under other names; "
    "with less than two minutes of speech to learn from, the decoder is one that was trained on readers of LibriSpeech (CC BY 4.0); "
    "then the decoder and the last layers of the melody were trained on one speaker's recording."
)
_KEYS = (*asdict(NATURAL_LICENCE), "promotable", "changes", "notice")
_LONGEST = 10_000
"""Characters of one text: the notices have 3,300."""


def record() -> dict[str, Any]:
    """What goes into a checkpoint, so that who has only that file has the notice too; raises RuntimeSetupError."""
    return {**facts(), "notice": _notice()}


def facts() -> dict[str, Any]:
    """The record without the text of the notice, for a status."""
    return {**asdict(NATURAL_LICENCE), "promotable": NATURAL_LICENCE.commercial_use, "changes": CHANGES}


def read(value: object) -> dict[str, Any]:
    """A record as it stands in a checkpoint; raises CheckpointError(wrong_format) for what is none."""
    if not isinstance(value, Mapping) or set(value) != set(_KEYS):
        raise CheckpointError(f"the licence record has not exactly {', '.join(_KEYS)}", cause="wrong_format")
    for key, found in value.items():
        if key in ("commercial_use", "promotable"):
            if type(found) is not bool:
                raise CheckpointError(f"licence.{key} is neither true nor false", cause="wrong_format")
        elif not isinstance(found, str) or not found.strip() or len(found) > _LONGEST:
            raise CheckpointError(f"licence.{key} is no text of 1 to {_LONGEST} characters", cause="wrong_format")
    return dict(value)


def _notice() -> str:
    return "\n".join(_text(path) for path in (NOTICE, READERS))


def _text(path: Path) -> str:
    try:
        return plain_file.read_through_links(path, limit=_LONGEST).decode("utf-8")
    except (PlainFileError, UnicodeDecodeError) as error:
        raise RuntimeSetupError(
            f"{path}: {error}; a voice may not be given away without it: install the package again",
            cause="weights_corrupt",
        ) from error
