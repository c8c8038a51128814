"""Speech from text by espeak-ng, through the shared library that the `espeakng_loader` package carries.

The voice is synthetic and meant for demonstrations and tests. The same text and settings give the same samples, whatever was spoken before.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from trainer.errors import RuntimeSetupError, TrainerError, lost_process
from trainer.files import packaged_file
from trainer.files.printable import last_line
from trainer.teachers import espeak_worker

_MAX_PATH = 130  # the library keeps the path of its data in a fixed buffer
_DEADLINE_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """One text to speak. `voice` may name a variant (`en-us+f3`); `rate_wpm` is 80-450, `pitch` and `pitch_range` are 0-100."""

    text: str
    voice: str = "en-us"
    rate_wpm: int = 165
    pitch: int = 50
    pitch_range: int = 50


def speak(
    text: str, voice: str = "en-us", *, rate_wpm: int = 165, pitch: int = 50, pitch_range: int = 50
) -> tuple[np.ndarray, int]:
    """Speak one text: ((n,) float32 samples in [-1, 1), sample rate in Hz); raises RuntimeSetupError as `speak_all`."""
    request = SpeechRequest(text=text, voice=voice, rate_wpm=rate_wpm, pitch=pitch, pitch_range=pitch_range)
    return speak_all([request])[0]


def speak_all(requests: Sequence[SpeechRequest]) -> list[tuple[np.ndarray, int]]:
    """Speak several texts in one process: [((n,) float32 samples, sample rate in Hz), ...], each independent of the others.

    Raises RuntimeSetupError(missing_module | missing_shared_library | weights_missing_offline | settings_invalid), or what
    `lost_process` makes of a process that a signal ended.
    """
    library, data = _package()
    with tempfile.TemporaryDirectory(prefix="espeak-") as scratch:
        if len(str(data)) > _MAX_PATH:
            link = Path(scratch) / data.name
            link.symlink_to(data)
            data = link
        job = {"library": str(library), "data": str(data), "requests": [asdict(request) for request in requests]}
        worker = _run(json.dumps(job).encode())
    if worker.returncode:
        raise _worker_error(worker, library)
    return _replies(worker.stdout, requests)


def _run(job: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", "-S", espeak_worker.__file__]
    try:
        return subprocess.run(command, input=job, capture_output=True, timeout=_DEADLINE_S)
    except subprocess.TimeoutExpired as error:
        raise RuntimeSetupError(
            f"espeak-ng did not finish in {_DEADLINE_S:g} s; give it fewer texts at once", cause="settings_invalid"
        ) from error


def _package() -> tuple[Path, Path]:
    """Paths of the library and of its data directory."""
    data = packaged_file.find("espeakng_loader", "espeak-ng-data", distribution="espeakng-loader")
    import espeakng_loader

    return Path(espeakng_loader.get_library_path()), data


def _worker_error(worker: subprocess.CompletedProcess[bytes], library: Path) -> TrainerError:
    if worker.returncode < 0:
        return lost_process(worker.returncode, "espeak-ng", last_line(worker.stderr.decode("utf-8", "replace")))
    detail = worker.stderr.decode("utf-8", "replace").strip() or f"exit code {worker.returncode}"
    if worker.returncode == espeak_worker.NO_DATA:
        detail = "its data directory cannot be read"
    return RuntimeSetupError(
        f"{library}: espeak-ng does not work ({detail}); install espeakng-loader again", cause="missing_shared_library"
    )


def _replies(stream: bytes, requests: Sequence[SpeechRequest]) -> list[tuple[np.ndarray, int]]:
    offset, spoken = 0, []
    for request in requests:
        status, rate, size = espeak_worker.HEADER.unpack_from(stream, offset)
        offset += espeak_worker.HEADER.size
        if status == 1:
            raise RuntimeSetupError(
                f"espeak-ng has no voice {request.voice!r}; use one such as en-us or en-us+f3", cause="settings_invalid"
            )
        if status:
            raise RuntimeSetupError(
                f"espeak-ng refused the text {request.text[:40]!r}; use plain sentences", cause="settings_invalid"
            )
        samples = np.frombuffer(stream, dtype="<i2", count=size // 2, offset=offset)
        spoken.append((samples.astype(np.float32) / 32_768.0, rate))
        offset += size
    return spoken
