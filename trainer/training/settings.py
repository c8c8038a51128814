"""Settings as frozen dataclasses of defaults, overridden by `<PREFIX><FIELD>` in the environment and held between bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from trainer.errors import RuntimeSetupError

Settings = TypeVar("Settings")


def check_bounds(settings: object, bounds: Sequence[tuple[str, float, float]]) -> None:
    """Every named field lies between its bounds, or RuntimeSetupError(settings_invalid) names it."""
    for name, low, high in bounds:
        value = getattr(settings, name)
        if not low <= value <= high:
            raise RuntimeSetupError(f"{name}={value} is outside {low}..{high}", cause="settings_invalid")


def from_environment(
    kind: type[Settings], prefix: str, environ: Mapping[str, str], *, start: Settings | None = None
) -> Settings:
    """`start` (default: `kind`'s defaults) with every field that `<prefix><FIELD>` sets.

    Raises RuntimeSetupError(settings_invalid) for unknown or malformed ones.
    """
    known = {prefix + field.name.upper(): field for field in fields(kind)}
    unknown = sorted(name for name in environ if name.startswith(prefix) and name not in known)
    if unknown:
        raise RuntimeSetupError(
            f"unknown setting {', '.join(unknown)}; known: {', '.join(sorted(known))}",
            cause="settings_invalid",
        )
    values = {field.name: parse(name, field.default, environ[name]) for name, field in known.items() if name in environ}
    return kind(**values) if start is None else replace(start, **values)


def parse(name: str, default: Any, text: str) -> Any:
    """`text` as a value of `default`'s type; raises RuntimeSetupError(settings_invalid) naming the variable."""
    try:
        if isinstance(default, bool):
            return {"0": False, "1": True, "false": False, "true": True}[text.lower()]
        return type(default)(text)
    except (ValueError, KeyError) as error:
        raise RuntimeSetupError(
            f"{name}={text!r} is not a {type(default).__name__}", cause="settings_invalid"
        ) from error
