"""Tables in Markdown that can be read as they are."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.files.printable import masked

_LONGEST = 80


def table(heading: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> str:
    """Aligned columns; those in `left` are text, the others numbers. Cells must be escaped (`cell`) where others wrote them."""
    cells = [heading, *rows]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(heading))]
    rule = (
        "|"
        + "|".join("-" * (width + 1) + ("-" if column in left else ":") for column, width in enumerate(widths))
        + "|"
    )
    lines = [
        "| " + " | ".join(_padded(text, widths[column], column in left) for column, text in enumerate(row)) + " |"
        for row in cells
    ]
    return "\n".join([lines[0], rule, *lines[1:]])


def cell(text: str, longest: int = _LONGEST) -> str:
    """A text as one cell: one line, no end of the cell in it, not too long."""
    line = " ".join(masked(text, " ").split())
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    return line.replace("\\", "\\\\").replace("|", "\\|")


def listing(sentences: Sequence[str]) -> str:
    """One item a line."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _padded(text: str, width: int, left: bool) -> str:
    return text.ljust(width) if left else text.rjust(width)
