"""Preflight: no tracked file names a directory of somebody's machine."""

from __future__ import annotations

import re
from pathlib import Path

from acceptance.guardrails.finding import Finding
from acceptance.guardrails.repository import Repository

_PLACEHOLDERS = r"(?:user|username|you|me|name|runner|vscode)\b"
"""Names that stand for anybody's, or for a CI machine's."""
_PERSONAL = re.compile(
    rf"(?<![\w.$(){{}}<>/-])(?<![\w}})][\"'])"
    rf"(?:/(?:home|Users)/(?!{_PLACEHOLDERS})[A-Za-z0-9_][\w.-]*/"
    r"|/root/[\w.]"
    rf"|[A-Za-z]:(?:\\{{1,2}}|/)Users(?:\\{{1,2}}|/)(?!{_PLACEHOLDERS})\w)",
    re.IGNORECASE,
)

_HINTS = ("/home/", "/root/", "users")
"""Nothing matches a text without one of these, whose search takes a hundredth of the time."""


def findings(repository: Repository) -> list[Finding]:
    """Tracked text holds neither a path in a home directory nor the path of this checkout."""
    here = str(repository.root)
    # A root such as /app or C:\ is no secret, and would match everywhere.
    literal = here if len(Path(here).parts) > 2 else None
    found = []
    hints = (*_HINTS, *((literal.casefold(),) if literal else ()))
    for path, text in repository.texts():
        folded = text.casefold()
        if not any(hint in folded for hint in hints):
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            match = _PERSONAL.search(line)
            if match or (literal is not None and re.search(re.escape(literal) + r"(?![\w-])", line)):
                found.append(
                    Finding(f"{path}:{number}", f"names a path of one machine: {match[0] if match else literal}")
                )
    return found
