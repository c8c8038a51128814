"""Takes tags and character entities of HTML and SSML out of a text."""

from __future__ import annotations

import html
import re

_ATTRIBUTE = r"""\s+[A-Za-z_:][\w:.-]{0,60}\s*=\s*(?:"[^"<>]{0,300}"|'[^'<>]{0,300}'|[^\s<>"']{1,300})"""
_TAG = re.compile(
    rf"</?(?P<name>[A-Za-z][A-Za-z0-9:-]{{0,30}})(?P<attributes>(?:{_ATTRIBUTE}){{0,20}})\s*/?>|<!--.{{0,2000}}?-->",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")

_INLINE = frozenset(
    "a abbr b big code em emphasis font i ins mark phoneme prosody s say-as small span strong sub sup tt u voice w".split()
)
"""These may stand inside a word, so nothing takes their place."""
_PAUSES = frozenset({"break"})


def without_markup(text: str) -> str:
    """`text` without tags and comments, entities as the characters they stand for; `a < b` and `&` alone stay."""
    if "<" in text:
        text = _TAG.sub(_instead, text)
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text


def _instead(match: re.Match[str]) -> str:
    name = (match["name"] or "").lower()
    if name in _PAUSES:
        return ", "
    return "" if name in _INLINE else " "
