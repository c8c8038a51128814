"""Paths that mean the same file on every system: relative, written with `/`, without a name that Linux, macOS or Windows takes for something else."""

from __future__ import annotations

import re

_DRIVE = re.compile("[A-Za-z]:")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HIDDEN = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]')
_DEVICES = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?: *\..*)?", re.IGNORECASE
)
_LOOSE_ENDING = re.compile(r"[ .]\.[^./]*$")


def problem(path: str) -> str | None:
    """Why a path from somebody else's hand is no plain path below a folder that every system can have; None if it is one."""
    if not path or path.startswith("/") or _DRIVE.match(path):
        return "is not relative to the folder"
    if "\\" in path:
        return "holds a backslash, which separates folders on other systems"
    if _SURROGATE.search(path):
        return "is not UTF-8"
    if _CONTROL.search(path):
        return "holds a control character"
    if _HIDDEN.search(path):
        return "holds a sign that is not seen and changes how the name is shown (a bidirectional mark or a line break)"
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        return "holds '..', '.' or an empty part"
    if not windows_allows(path):
        return (
            'is no possible name on Windows (one of < > : " | ? *, a space or dot at an end, or a device such as CON)'
        )
    if _LOOSE_ENDING.search(path):
        return "has a space or a dot right before its suffix, so that it cannot be named without it"
    return None


def windows_allows(path: str) -> bool:
    """Whether Windows can have every name of a path: no sign that it forbids, no dot or space at the end, none of its devices."""
    parts = path.split("/")
    return not (_FORBIDDEN.search(path) or any(part.endswith((".", " ")) or _DEVICES.fullmatch(part) for part in parts))
