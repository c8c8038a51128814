"""Which names of clips may stand in a manifest: those that mean the same file on every system."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable

_DRIVE = re.compile("[A-Za-z]:")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def problem(path: str) -> str | None:
    """Why a path from somebody else's hand is no plain path below a folder, written with `/`; None if it is one."""
    if not path or path.startswith("/") or _DRIVE.match(path):
        return "is not relative to the folder"
    if "\\" in path:
        return "holds a backslash, which separates folders on other systems"
    if _SURROGATE.search(path):
        return "is not UTF-8"
    if _CONTROL.search(path):
        return "holds a control character"
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        return "holds '..', '.' or an empty part"
    return None


def twins(names: Iterable[str]) -> dict[str, str]:
    """Names that another file system would take for an earlier one (upper and lower case, composed and decomposed accents), with that one."""
    seen: dict[str, str] = {}
    found: dict[str, str] = {}
    for name in sorted(names):
        first = seen.setdefault(folded(name), name)
        if first != name:
            found[name] = first
    return found


def composed(name: str) -> str:
    """The name with composed accents (NFC): what an id is, whichever way the file system writes it."""
    return unicodedata.normalize("NFC", name)


def shown(text: str) -> str:
    """The text with everything that does not print (controls, bidirectional marks, bytes that are not UTF-8) escaped."""
    readable = os.fsencode(text).decode("utf-8", "backslashreplace") if _escaped_bytes(text) else text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in readable)


def folded(name: str) -> str:
    """What two names have in common that another file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _escaped_bytes(text: str) -> bool:
    return all("\udc80" <= each <= "\udcff" for each in text if "\ud800" <= each <= "\udfff")
