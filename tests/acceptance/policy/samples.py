"""Values for every key of the policy, found by asking the schema: a new key is covered without a change here."""

from __future__ import annotations

import json
from typing import Any

from acceptance.policy import Policy, schema
from acceptance.policy.schema import InvalidValueError, Leaf

KEYS = tuple(schema.leaves())
SECTIONS = tuple(dict.fromkeys(leaf.path[0] for leaf in schema.leaves().values()))
_NEVER_VALID = ("null", ".nan", "-.inf", "1e999", "[[1]]", "{a: {b: 1}}", "")
_CANDIDATES = (
    *(
        "A",
        "C",
        "D",
        "EUR",
        "GBP",
        "other",
        "another",
        ["freshness"],
        ["resume"],
        ["other"],
        ["another"],
        ["other.py"],
        ["another.py"],
    ),
    *({"a": 1}, {"a": 2}, {".xy": 1}, {".xy": 2}),
    *([{"path": "a.md", "max_age_days": days, "reason": "changes often"}] for days in (1, 2)),
)


def default(key: str) -> Any:
    """The built-in value, of plain types."""
    return Policy().values()[key]


def never_valid(key: str) -> tuple[str, ...]:
    """YAML that the key does not take, whatever its range is."""
    return _NEVER_VALID + (('"true"', "1") if isinstance(default(key), bool) else ("true",))


def others(key: str) -> tuple[Any, Any]:
    """Two values that the schema takes, the first at least not the built-in one; numbers move too little to break the order of thresholds."""
    value = default(key)
    if isinstance(value, bool):
        return not value, value  # there is only one other
    near = (
        [value + step * (1 if isinstance(value, int) else 1e-7) for step in (1, 2)]
        if isinstance(value, int | float)
        else []
    )
    found = [one for one in (*near, *_CANDIDATES) if one != value and fits(schema.leaves()[key], one)]
    return found[0], found[1]


def fits(leaf: Leaf, value: Any) -> bool:
    """Whether the schema takes it."""
    try:
        schema.check(leaf, value)
    except InvalidValueError:
        return False
    return True


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Values by dotted key as a file holds them."""
    document: dict[str, Any] = {}
    for key, value in values.items():
        *above, name = schema.leaves()[key].path
        place = document
        for part in above:
            place = place.setdefault(part, {})
        place[name] = value
    return document


def yaml(values: dict[str, Any]) -> str:
    """A policy file: JSON is YAML 1.2."""
    return json.dumps(nested(values), indent=1, ensure_ascii=False)


def line_in_file(key: str, value: str) -> tuple[str, int]:
    """A file in block style that says only `key: value`, and the line of that."""
    path = schema.leaves()[key].path
    lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate(path)]
    return "# one threshold\n" + "\n".join(lines) + f" {value}\n", len(lines) + 1
