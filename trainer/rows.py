"""What a command prints on success: names in one column, values in the other."""

from __future__ import annotations

from collections.abc import Iterable


def text(rows: Iterable[tuple[str, str]]) -> str:
    """One line a row, without a line end behind the last."""
    return "\n".join(f"{name:<22} {value}" for name, value in rows)
