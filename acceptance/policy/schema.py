"""What a policy file may say: its keys, read off the dataclasses of `sections`, and the check of one value.

A key ("leaf") is `section.key`; a mapping with fixed names has one leaf a name (`scorecard.grades.A`), so that each has its own origin.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from acceptance.policy.sections import Sections

SCHEMA = "threshold_policy/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One key that has a value."""

    path: tuple[str, ...]
    """As the file writes it."""
    attributes: tuple[str, ...]
    """As the dataclasses name it; the last may be the name in a mapping."""
    type: Any
    """Annotation with its range."""

    @property
    def key(self) -> str:
        """`section.name`, as a file's error and `--threshold` write it."""
        return ".".join(self.path)

    @property
    def is_free_mapping(self) -> bool:
        """Whether the names in it are the user's own: such a mapping is one value, replaced as a whole by a file."""
        return typing.get_origin(self.type) is Mapping


class InvalidValueError(ValueError):
    """The value does not fit; `location` leads to the part of it that does not."""

    def __init__(self, problem: str, location: tuple[str | int, ...]) -> None:
        super().__init__(problem)
        self.location = location


@lru_cache(maxsize=1)
def leaves() -> Mapping[str, Leaf]:
    """Every key of the policy by its dotted name, in the order of the sections."""
    return {leaf.key: leaf for leaf in _walk(Sections, (), ())}


def groups() -> frozenset[tuple[str, ...]]:
    """Paths that hold further keys: sections, and mappings with fixed names."""
    return frozenset(leaf.path[:depth] for leaf in leaves().values() for depth in range(1, len(leaf.path)))


def check(leaf: Leaf, value: Any) -> Any:
    """`value` (of plain lists, dicts and scalars) as the leaf's type; raises InvalidValueError."""
    try:
        return _adapter(leaf.type).validate_python(value)
    except ValidationError as error:
        raise _invalid(leaf, error.errors(include_url=False, include_context=False)[0]) from error


def get(sections: Sections, leaf: Leaf) -> Any:
    """The value of a leaf."""
    found: Any = sections
    for name in leaf.attributes:
        found = found[name] if isinstance(found, Mapping) else getattr(found, name)
    return found


def put(sections: Any, leaf: Leaf, value: Any) -> Any:
    """A copy of the sections with one leaf changed."""
    return _put(sections, leaf.attributes, value)


def plain(value: Any) -> Any:
    """A leaf's value as JSON and YAML know it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value + 0.0 if isinstance(value, float) else value  # -0.0 is 0.0, also in a hash


def _put(record: Any, attributes: tuple[str, ...], value: Any) -> Any:
    name, *rest = attributes
    if isinstance(record, Mapping):
        return {**record, name: value}
    return replace(record, **{name: _put(getattr(record, name), tuple(rest), value) if rest else value})


def _walk(kind: Any, path: tuple[str, ...], attributes: tuple[str, ...]) -> Iterator[Leaf]:
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        hint, name = hints[field.name], field.name.removesuffix("_")
        here, inside = (*path, name), (*attributes, field.name)
        names = _fixed_names(hint)
        if is_dataclass(hint):
            yield from _walk(hint, here, inside)
        elif names:
            for key in names:
                yield Leaf(path=(*here, key), attributes=(*inside, key), type=typing.get_args(hint)[1])
        else:
            yield Leaf(path=here, attributes=inside, type=hint)


def _invalid(leaf: Leaf, first: Mapping[str, Any]) -> InvalidValueError:
    """pydantic's finding in this program's words."""
    location, value = first["loc"], shown(first["input"])
    if first["type"] in ("missing", "unexpected_keyword_argument"):
        return InvalidValueError("missing" if first["type"] == "missing" else "unknown", location)
    if leaf.is_free_mapping and len(location) > 1:
        # Below the user's own name stands only which alternative of the type was tried.
        wanted = "is not a possible name here" if location[-1] == "[key]" else "should be a number, a text or null"
        return InvalidValueError(f"{value} {wanted}", location[:1])
    return InvalidValueError(
        f"{value} {first['msg'].removeprefix('Input ').removeprefix('String ').removeprefix('Value error, ')}", location
    )


def _fixed_names(hint: Any) -> tuple[str, ...]:
    """The names of a Mapping[Literal[...], X], else none."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Mapping and typing.get_origin(arguments[0]) is Literal:
        return typing.get_args(arguments[0])
    return ()


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def shown(value: Any) -> str:
    """A value for a message, short."""
    text = "nothing (null)" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
