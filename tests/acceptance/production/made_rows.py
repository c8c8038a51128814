"""Rows of takes as a shard writes them, good unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trainer.evaluation.faults import Signal
from trainer.production.takes import TakeError, TakeRow

SIGNAL = Signal(
    seconds=3.0, spoken_s=2.8, not_finite=0, clipping=0.0, offset=0.0, silence=0.1, longest_pause_s=0.1, start_edge_db=-60.0,
    end_edge_db=-60.0, loudness_lufs=-20.0, snr_db=40.0,
)  # fmt: skip
GOOD = TakeRow(
    id="0001", take=1, seed=0, text="One two three four five six seven eight nine ten.", file="0001_t1.flac", sha256="a" * 64, seconds=3.0,
    sample_rate=22_050, similarity=0.9, overall=3.4, speech=3.5, background=4.0, p808=3.5, word_edits=0, words=10, character_edits=0,
    characters=48, heard="one two three four five six seven eight nine ten", signal=SIGNAL, faults=(), error=None,
)  # fmt: skip


def row(name: str = "0001", take: int = 1, **changes: Any) -> TakeRow:
    """A good take with some things else."""
    return replace(GOOD, id=name, take=take, seed=take - 1, file=f"{name}_t{take}.flac", **changes)


def failed(
    name: str = "0001", take: int = 1, *, cause: str = "clip_unusable", message: str = "nothing can be judged"
) -> TakeRow:
    """A take that could not be judged."""
    nothing = dict.fromkeys(
        (
            "similarity",
            "overall",
            "speech",
            "background",
            "p808",
            "word_edits",
            "words",
            "character_edits",
            "characters",
            "signal",
        )
    )
    return row(name, take, **nothing, heard="", error=TakeError(cause=cause, message=message))
