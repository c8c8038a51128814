"""Strict JSON for evidence that nothing else vouches for, and the ways in which JSON is written.

Python's parser accepts NaN, Infinity, 1e999 (as infinity), numbers of any size, duplicate keys, half of a surrogate pair as text and any
nesting; here each of them is an error.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from trainer.files.printable import quoted

MAX_DEPTH = 64
MAX_VALUES = 1_000_000
_MAYBE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def loads(data: bytes | str, *, max_values: int = MAX_VALUES) -> Any:
    """Parse JSON; raises ValueError naming what RFC 8259, a finite double or MAX_DEPTH levels of arrays and objects do not cover.

    A text that could hold more than `max_values` values (commas and brackets in texts count, too) is refused before it is parsed.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8 text") from error
    if sum(map(text.count, ",[{")) > max_values:
        raise ValueError(f"holds more than {max_values} values")
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        raise ValueError(
            f"not JSON (line {error.lineno}, column {error.colno})" if text.strip() else "empty, not JSON"
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    _check_depth(value)
    if _MAYBE_SURROGATE.search(text):
        _check_text(value)
    return value


def canonical(value: Any) -> str:
    """One line for equal values: sorted keys, no blanks, ASCII; raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """The SHA-256 of a value. Names of clips and pins of evaluations follow from it, so its text keeps a blank after commas and colons."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def readable(value: Any, *, indent: int = 2, ascii_only: bool = False) -> bytes:
    """A file that people read: sorted keys, a value a line, a newline at the end; raises ValueError for NaN and infinities."""
    return (json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=ascii_only, allow_nan=False) + "\n").encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"duplicate key {quoted(key)}")
        result[key] = value
    return result


def _refuse_constant(token: str) -> Any:
    raise ValueError(f"{token} is not JSON")


def _finite(token: str) -> float:
    value = float(token)
    if not math.isfinite(value):
        raise ValueError(f"{token[:80]} is not a finite number")
    return value


def _whole(token: str) -> int:
    _finite(token)
    return int(token)


def _check_depth(value: Any) -> None:
    """Level by level: a recursive walk would itself be what it guards against."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for outer in level for item in _items(outer) if isinstance(item, dict | list)]
        if not level:
            return
    raise _too_deep()


def _check_text(value: Any) -> None:
    """No file and no terminal takes half of a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"half of a surrogate pair, {error.object[error.start]!a}, is no text") from error


def _items(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> ValueError:
    return ValueError(f"nested deeper than {MAX_DEPTH} levels")
