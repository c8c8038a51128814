"""Parsed JSON into frozen dataclasses, strictly: exactly their fields, exactly their types."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from trainer.files.printable import quoted


def build(kind: Any, value: Any, where: str = "$") -> Any:
    """`value` as `kind`: a dataclass, str, int, float, bool, tuple[X, ...], Mapping[str, X] or X | None.

    Raises ValueError naming the place. A boolean is no number; a whole number may stand for a float and stays whole.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind):
        return _record(kind, _expect(value, dict, "an object", where), where)
    if origin is tuple:
        items = _expect(value, list, "a list", where)
        return tuple(build(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(items))
    if origin is Mapping:
        return {
            key: build(arguments[1], item, f"{where}.{quoted(key)[1:-1]}")
            for key, item in _expect(value, dict, "an object", where).items()
        }
    if origin is types.UnionType:
        return None if value is None else build(arguments[0], value, where)
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{where}: {quoted(value)} is not true or false")
        return value
    if kind is float:
        return _expect(value, (int, float), "a number", where)
    return _expect(value, kind, {int: "a whole number", str: "a string"}[kind], where)


def _record(kind: Any, value: dict[str, Any], where: str) -> Any:
    names = {field.name for field in fields(kind)}
    for name in sorted(names ^ value.keys()):
        raise ValueError(f"{where}: {quoted(name)} is {'missing' if name in names else 'unknown'}")
    hints = _hints(kind)
    return kind(**{name: build(hints[name], item, f"{where}.{name}") for name, item in value.items()})


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _expect(value: Any, kind: Any, words: str, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise ValueError(f"{where}: {quoted(value)} is not {words}")
    return value
