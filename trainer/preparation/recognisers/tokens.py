"""Whether the files of a Whisper model number the same tokens: CTranslate2 writes beyond its memory where they do not, or hears other words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_EMBEDDING = "decoder/embeddings/weight"


def disagreement(model: bytes, vocabulary: list[Any], tokenizer: Any) -> str:
    """What does not fit, or "": `model` has a row for each word of `vocabulary`, and `tokenizer` (its JSON) has each under that number."""
    rows = next((shape[0] for name, shape in _variables(model) if name == _EMBEDDING and shape), None)
    if rows is not None and rows != len(vocabulary):
        return f"model.bin has {rows} tokens, the vocabulary {len(vocabulary)}"
    known = list(enumerate(vocabulary))
    for token, number in _numbered(tokenizer):
        if known[number : number + 1] != [(number, token)]:
            return f"tokenizer.json has the token {token[:40]!r} as number {number}, the vocabulary has not"
    return ""


def _numbered(tokenizer: Any) -> Iterator[tuple[str, int]]:
    try:
        yield from tokenizer["model"]["vocab"].items()
        yield from ((one["content"], one["id"]) for one in tokenizer["added_tokens"])
    except (KeyError, TypeError, AttributeError):  # no tokenizer: its own library refuses it
        return


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
