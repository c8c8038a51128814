"""Small folders of clips, as people keep them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

TEXTS = {"a": "One red car.", "b": "Two blue cars.", "c": "Three green cars.", "d": "One red car."}
RATE = 16_000


def tone(path: Path, seed: int, *, rate: int = RATE, seconds: float = 0.1, subtype: str = "PCM_16") -> Path:
    """A clip whose sound depends on the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).uniform(-0.1, 0.1, int(rate * seconds))
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def with_sidecars(root: Path) -> Path:
    """`TEXTS` as a.flac beside a.txt, and so on."""
    for seed, (name, text) in enumerate(TEXTS.items()):
        tone(root / f"{name}.flac", seed)
        (root / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")
    return root


def with_table(root: Path) -> Path:
    """`TEXTS` as clips/a.flac and a metadata.csv."""
    for seed, name in enumerate(TEXTS):
        tone(root / "clips" / f"{name}.flac", seed)
    (root / "metadata.csv").write_text("".join(f"{name}|{text}\n" for name, text in TEXTS.items()), encoding="utf-8")
    return root


def flip(path: Path, position: int = -200) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
