"""Whether the files of a Whisper model number the same tokens.

If they do not, CTranslate2 writes beyond its memory, or hears other words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_EMBEDDING = "decoder/embeddings/weight"


def disagreement(model: bytes, vocabulary: list[Any], tokenizer: dict[str, Any]) -> str:
    """How the three differ, or "".

    `model` has a row for each word of `vocabulary`, and `tokenizer` (its JSON) gives each the number that it has there.
    """
    rows = next((shape[0] for name, shape in _variables(model) if name == _EMBEDDING and shape), None)
    if rows is not None and rows != len(vocabulary):
        return f"model.bin has {rows} tokens, the vocabulary {len(vocabulary)}"
    for token, number in _numbered(tokenizer):
        if type(number) is not int or not 0 <= number < len(vocabulary) or vocabulary[number] != token:
            return f"tokenizer.json has the token {token!r:.40} as number {number!r:.40}, the vocabulary has not"
    return ""


def _numbered(tokenizer: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Tokens and their numbers; what has no such form is refused by the tokenizer's own library."""
    model, added = tokenizer.get("model"), tokenizer.get("added_tokens")
    if isinstance(model, dict) and isinstance(model.get("vocab"), dict):
        yield from model["vocab"].items()
    for one in added if isinstance(added, list) else ():
        yield (one.get("content"), one.get("id")) if isinstance(one, dict) else (one, None)


def _variables(model: bytes) -> Iterator[tuple[str, list[int]]]:
    """Name and shape of each array in a CTranslate2 file (version 4 and later); as many as can be read."""

    def number(start: int, size: int) -> int:
        if start + size > len(model):
            raise EOFError
        return int.from_bytes(model[start : start + size], "little")

    try:
        place = 6 + number(4, 2) + 4  # behind version, name and revision
        count, place = number(place, 4), place + 4
        for _ in range(count):
            length = number(place, 2)
            name = model[place + 2 : place + 2 + length].rstrip(b"\0").decode("ascii", "replace")
            place += 2 + length
            rank, place = number(place, 1), place + 1
            shape = [number(place + 4 * axis, 4) for axis in range(rank)]
            place += 4 * rank + 1  # and its type
            yield name, shape
            place += 4 + number(place, 4)
    except EOFError:  # cut short: CTranslate2 refuses it
        return
