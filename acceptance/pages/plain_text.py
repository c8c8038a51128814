"""Text from outside as a page shows it: lines stay lines, nothing hides or reorders them."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""What a terminal takes for a command: colours, cursor moves, titles."""
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def cleaned(text: str) -> str:
    """`text` without terminal commands, and with `?` for every other sign that cannot be printed (NUL, bidi marks, lone surrogates)."""
    plain = _LINE_END.sub("\n", _ESCAPE.sub("", text)) if not text.isprintable() else text
    if plain.isprintable():
        return plain
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in plain)


def tail(text: str, lines: int = 40, width: int = 400) -> str:
    """The last lines of a log, long ones cut."""
    kept = cleaned(text).rstrip("\n").split("\n")[-lines:]
    return "\n".join(line if len(line) <= width else line[:width] + " …" for line in kept)
