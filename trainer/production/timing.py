"""What a shard has cost, in a file of its own: it is never hashed and never compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainer.errors import TrainerError
from trainer.files import json_lines, plain_file, strict_json, typed_json
from trainer.files.atomic_file import write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.production import layout

SCHEMA = "production_timing/1"
_MAX_BYTES = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a shard has cost, over all its starts: takes made, their audio, seconds, and CPU-seconds by stage."""

    takes: int = 0
    audio_s: float = 0.0
    wall_s: float = 0.0
    cpu_s: Mapping[str, float] = field(default_factory=dict)

    def plus(self, other: Timing) -> Timing:
        """Both together."""
        names = [*self.cpu_s, *(name for name in other.cpu_s if name not in self.cpu_s)]
        return Timing(
            takes=self.takes + other.takes,
            audio_s=self.audio_s + other.audio_s,
            wall_s=self.wall_s + other.wall_s,
            cpu_s={name: self.cpu_s.get(name, 0.0) + other.cpu_s.get(name, 0.0) for name in names},
        )


def of(place: Path) -> Timing:
    """What the shard in a folder has cost so far; nothing if it does not say."""
    try:
        document = strict_json.loads(plain_file.read(place / layout.TIMING, limit=_MAX_BYTES))
        if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
            return Timing()
        timing: Timing = typed_json.build(Timing, document)
    except (PlainFileError, ValueError):
        return Timing()
    return timing


def add(place: Path, more: Timing) -> None:
    """Add to a shard's timing.json; a disk that refuses it does not hide why the shard ended."""
    total = of(place).plus(more)
    document = {
        "schema": SCHEMA,
        "takes": total.takes,
        "audio_s": round(total.audio_s, 3),
        "wall_s": round(total.wall_s, 3),
        "cpu_s": {name: round(seconds, 3) for name, seconds in total.cpu_s.items()},
    }
    try:
        write_atomically(place / layout.TIMING, json_lines.line(document))
    except TrainerError:
        return
