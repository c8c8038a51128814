"""Speech and its exact phone times from the `flite` program (Black and Lenzo 2001; clustergen voices, Black 2006)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.audio import recording
from trainer.errors import RuntimeSetupError, lost_process
from trainer.files.printable import last_line

_PAUSE = "pau"
_DEADLINE_S = 120.0
_ARPABET = {
    "ax": ("AH",), "axr": ("ER",), "el": ("AH", "L"), "em": ("AH", "M"), "en": ("AH", "N"), "dx": ("T",), "nx": ("N",), "hv": ("HH",),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One phone (ARPAbet without stress, or "" for a pause) and where it ends, in seconds; `reduced` marks a schwa."""

    phone: str
    end_s: float
    reduced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """(n,) float32 samples in [-1, 1), their rate in Hz, and the segments that fill them."""

    wave: np.ndarray
    sample_rate: int
    segments: tuple[Segment, ...]


def available() -> bool:
    """Whether the program is installed."""
    return shutil.which("flite") is not None


def version() -> str:
    """`flite-2.2-current Sep 2018`, or "" where it is not installed."""
    if not available():
        return ""
    lines = subprocess.run(
        ["flite", "--version"], capture_output=True, text=True, timeout=_DEADLINE_S
    ).stdout.splitlines()
    return next((line.split("version:")[1].split("(")[0].strip() for line in lines if "version:" in line), "")


def speak(
    text: str, voice: str, *, f0_hz: float | None = None, f0_range_hz: float | None = None, stretch: float | None = None
) -> Spoken:
    """One sentence with mean and deviation of F0 and a duration factor; None for the voice's own.

    Raises RuntimeSetupError(missing_program | settings_invalid), or what `lost_process` makes of a program that a signal ended.
    """
    with tempfile.TemporaryDirectory(prefix="flite-") as scratch:
        path = Path(scratch) / "spoken.wav"
        controls = {"int_f0_target_mean": f0_hz, "int_f0_target_stddev": f0_range_hz, "duration_stretch": stretch}
        settings = [
            part for name, value in controls.items() if value is not None for part in ("--setf", f"{name}={value:.4f}")
        ]
        command = ["flite", "-voice", voice, *settings, "-psdur", "-t", text, "-o", str(path)]
        try:
            printed = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_S)
        except FileNotFoundError as error:
            raise RuntimeSetupError(
                "flite is not installed; install it: apt-get install flite", cause="missing_program"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise RuntimeSetupError(
                f"flite did not finish in {_DEADLINE_S:g} s; give it less text at once", cause="settings_invalid"
            ) from error
        if printed.returncode < 0:
            raise lost_process(printed.returncode, "flite", last_line(printed.stderr))
        if printed.returncode or not path.is_file():
            raise RuntimeSetupError(
                f"flite does not speak with the voice {voice!r}: {printed.stderr[:200]}", cause="settings_invalid"
            )
        wave, rate = recording.read(path)
    return Spoken(wave=wave, sample_rate=rate, segments=_segments(printed.stdout))


def _segments(printed: str) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    start = 0.0
    for item in printed.split():
        name, end = item.rsplit(":", 1)
        phones = ("",) if name == _PAUSE else _ARPABET.get(name, (name.upper(),))
        for index, phone in enumerate(phones, start=1):
            end_s = start + (float(end) - start) * index / len(phones)
            segments.append(Segment(phone=phone, end_s=end_s, reduced=phone == "AH" and name != "ah"))
        start = float(end)
    return tuple(segments)
