"""Other ways to turn text into speech, to compare with: flite's voices and espeak-ng."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trainer.errors import RuntimeSetupError
from trainer.evaluation.clip_files import read_wave
from trainer.teachers import espeak

Speak = Callable[[str], tuple[np.ndarray, int]]
"""A voice: text -> ((n,) float32 samples, sample rate in Hz)."""

FLITE_VOICES = ("slt", "rms")
_DEADLINE_S = 120.0


def installed() -> dict[str, Speak]:
    """Every rival of this machine by name: flite only where the program is installed."""
    voices: dict[str, Speak] = {}
    if shutil.which("flite"):
        voices |= {f"flite {name}": _flite_voice(name) for name in FLITE_VOICES}
    return voices | {"espeak-ng": espeak.speak}


def _flite_voice(name: str) -> Speak:
    return lambda text: flite(text, name)


def flite(text: str, voice: str) -> tuple[np.ndarray, int]:
    """One text by a flite voice at its own pace and pitch; raises RuntimeSetupError(missing_program | settings_invalid)."""
    with tempfile.TemporaryDirectory(prefix="flite-") as scratch:
        path = Path(scratch) / "spoken.wav"
        try:
            run = subprocess.run(
                ["flite", "-voice", voice, "-t", text, "-o", str(path)],
                capture_output=True,
                text=True,
                timeout=_DEADLINE_S,
            )
        except FileNotFoundError as error:
            raise RuntimeSetupError(
                "flite is not installed; install it: apt-get install flite", cause="missing_program"
            ) from error
        if run.returncode or not path.is_file():
            raise RuntimeSetupError(
                f"flite does not speak with the voice {voice!r}: {run.stderr[:200]}", cause="settings_invalid"
            )
        return read_wave(path)
