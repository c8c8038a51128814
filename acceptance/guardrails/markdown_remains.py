"""What an editor left behind in a Markdown text: placeholders that nothing replaced, and table rows that lost or gained a cell."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PLACEHOLDER = re.compile(r"@@[A-Za-z]\w*@@")
FENCE = re.compile(r"^\s*(?:```|~~~)")
_DELIMITER = re.compile(r"^ {0,3}(?=.*\|)\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_SEPARATOR = re.compile(r"(?<!\\)(?:\\\\)*\|")
_OTHER_BLOCK = re.compile(r"^ {0,3}(?:#{1,6} |>|[-*+] |```|~~~)")


def problems(text: str) -> Iterator[tuple[int, str]]:
    """(line, problem) of a Markdown text; a table in a fence is code."""
    lines = text.split("\n")
    columns, fenced = 0, False
    for number, line in enumerate(lines, start=1):
        for name in _PLACEHOLDER.findall(line):
            yield number, f"the placeholder {name} was never filled in"
        if FENCE.match(line):
            fenced, columns = not fenced, 0
        elif fenced or not line.strip() or _OTHER_BLOCK.match(line):
            columns = 0
        elif columns:
            if cells(line) != columns:
                yield number, f"the row has {cells(line)} cells, its table {columns}"
        elif number > 1 and "|" in lines[number - 2] and _DELIMITER.match(line):
            columns = cells(line)
            if cells(lines[number - 2]) != columns:
                yield (
                    number - 1,
                    f"the header has {cells(lines[number - 2])} cells, the line below it {columns}: no table is shown",
                )


def cells(row: str) -> int:
    r"""Cells of a table row as GitHub counts them: `\|` is a sign in a cell, also in code; a bare `|` in code ends the cell."""
    row = row.strip().removeprefix("|")
    separators = len(_SEPARATOR.findall(row))
    return separators if re.search(r"(?<!\\)(?:\\\\)*\|$", row) else separators + 1
