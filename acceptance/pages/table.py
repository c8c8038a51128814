"""Tables that a reader sorts and filters: columns and rows as a page's script reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How the cells of a column look and sort."""

    TEXT = "text"
    NUMBER = "number"
    """A float or int, shown with `digits`; None is shown as a dash and sorts last."""
    BADGE = "badge"
    """A short word, such as a verdict; readers can choose one of them."""
    PLAYER = "player"
    """A source from `sound`, or None."""
    PICTURE = "picture"
    """A data URI from `picture`, or the address of a PNG beside the page; or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `digits` are those after the point."""

    title: str
    kind: Kind = Kind.TEXT
    digits: int = 2
    below: bool = False
    """Its cells stand below those of the column before it: tables stay narrow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of which `rows_per_page` rows are shown at a time. `caption` says what it lists, to those who cannot see it too."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    rows_per_page: int = 50
    sorted_by: int | None = None
    """Index of the column by which the rows come sorted (not sorted again), for the arrow in its heading."""
    descending: bool = False

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} of {self.caption} has {len(row)} cells for {len(self.columns)} columns")

    def document(self) -> dict[str, Any]:
        """What the script reads."""
        return {
            "columns": [
                {"title": one.title, "kind": one.kind, "digits": one.digits, "below": one.below} for one in self.columns
            ],
            "rows": self.rows,
            "rows_per_page": self.rows_per_page,
            "sorted_by": self.sorted_by,
            "descending": self.descending,
        }
