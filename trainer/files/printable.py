"""Text from outside, safe on a terminal, in a log and in a CI system.

File names, messages of a job and fields of its artifacts may hold line ends, escape sequences, bidirectional marks and commands that CI
systems obey (`::error::`, `##vso[`). Every program prints such text through `printable`.
"""

from __future__ import annotations

import re

NAME_WIDTH = 80
"""So many letters of a name or a value are shown in a message."""
_MESSAGE_WIDTH = 2000
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_BLANK = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
_CI_COMMAND = re.compile(r"([:#])(?=\1)")


def printable(text: str, width: int = 160) -> str:
    """`text` on one line, without control signs, CI commands and excess length."""
    line = _BLANK.sub(" ", _ESCAPE.sub("", text[: 4 * width + 400]))
    return _CI_COMMAND.sub(r"\1 ", "".join(filter(str.isprintable, line)))[:width]


def last_line(text: str, otherwise: str = "it gave no reason") -> str:
    """The last line that a program printed, where it mostly says why it ended."""
    return printable((text.strip().splitlines() or [otherwise])[-1], 300)


def masked(text: str, instead: str = "?") -> str:
    """`text` with a `?` or another sign in place of every sign that cannot be printed, line ends among them."""
    return "".join(sign if sign.isprintable() else instead for sign in text)


def quoted(value: object) -> str:
    """A name or value from outside as a message shows it: one line, in quotes, cut at 80 letters."""
    text = value[: 4 * NAME_WIDTH + 400] if isinstance(value, str) else str(value)
    return repr(printable(text, NAME_WIDTH))


def notice_line(notice: object, kind: str = "notice") -> str:
    """How every program says what a person should know: one line, with `notice:` or another kind before it."""
    return printable(f"{kind}: {notice}", _MESSAGE_WIDTH)


def error_line(problem: object, cause: str) -> str:
    """How every program says why it failed: one line, with the cause at its end."""
    return f"error: {printable(str(problem), _MESSAGE_WIDTH)} [{cause}]"
