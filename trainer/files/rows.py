"""What a command prints on success: names in one column, values in the other."""

from __future__ import annotations

from collections.abc import Iterable

from trainer.files.printable import printable

_LONGEST = 2000


def text(rows: Iterable[tuple[str, str]]) -> str:
    """One printable line a row, without a line end behind the last."""
    return "\n".join(f"{name:<22} {printable(value, _LONGEST)}" for name, value in rows)
