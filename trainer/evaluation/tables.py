"""Rows of scores as a Markdown table, as plain text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from trainer.evaluation import rating
from trainer.evaluation.estimate import UNKNOWN, Estimate
from trainer.evaluation.evaluation import rounded
from trainer.evaluation.rating import Row
from trainer.files import strict_json
from trainer.files.markdown import table

COLUMNS = (
    ("similarity", "similarity", 3),
    ("word_errors", "WER", 2),
    ("phone_errors", "PER", 2),
    ("overall", "OVRL", 2),
    ("speech", "SIG", 2),
    ("background", "BAK", 2),
    ("p808", "P808", 2),
)
"""Field of a Row, its heading, and its decimals."""


def markdown(rows: Sequence[Row]) -> str:
    """A table with half the width of each 95 % interval behind its value."""
    return (
        table(["voice", "clips", "mean s", *(heading for _, heading, _ in COLUMNS)], [_cells(row) for row in rows])
        + "\n"
    )


def document(rows: Sequence[Row], facts: dict[str, object]) -> bytes:
    """Canonical JSON of `facts` and the rows, each with the hashes of what judged it; numbers rounded to six decimals."""
    body = {**facts, "rows": [{**rounded(asdict(row)), "models": rating.models()} for row in rows]}
    return strict_json.readable(body)


def _cells(row: Row) -> list[str]:
    return [row.name, str(row.clips), f"{row.seconds:.1f}"] + [
        _cell(getattr(row, field), decimals) for field, _, decimals in COLUMNS
    ]


def _cell(found: Estimate | None, decimals: int) -> str:
    if found is None:
        return "-"
    return f"{found.value:.{decimals}f} ±{UNKNOWN if found.low is None else f'{(found.high - found.low) / 2.0:.{decimals}f}'}"
