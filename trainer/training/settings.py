"""Settings as frozen dataclasses of defaults, overridden by `<PREFIX><FIELD>` in the environment and held between bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, asdict, field, fields, replace
from typing import Any, TypeVar

from trainer.errors import RuntimeSetupError

Settings = TypeVar("Settings")
_KINDS = {bool: "0, 1, true or false", int: "a whole number", float: "a number", str: "a text"}


def bounded(default: float, low: float, high: float) -> Any:
    """A field of `BoundedSettings` whose value lies between `low` and `high`."""
    return field(default=default, metadata={"bounds": (low, high)})


def device() -> Any:
    """The field that says where to compute: `auto` (CUDA where there is one), `cpu` or `cuda`."""
    return field(default="auto", metadata={"choices": ("auto", "cpu", "cuda")})


class BoundedSettings:
    """Base of settings whose fields say what they may be."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Raises RuntimeSetupError(settings_invalid) naming the first field with another value."""
        for known in fields(self):
            _check(known, known.name, getattr(self, known.name))

    def as_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)


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
    values = {}
    for name in sorted(known.keys() & environ.keys()):
        one = known[name]
        values[one.name] = parse(name, one.default, environ[name])
        _check(one, name, values[one.name])
    return kind(**values) if start is None else replace(start, **values)


def _check(known: Field[Any], name: str, value: Any) -> None:
    """Raises RuntimeSetupError(settings_invalid) for a value that its field may not have; `name` is what the message calls it."""
    low, high = known.metadata.get("bounds", (None, None))
    if low is not None and not low <= value <= high:
        raise RuntimeSetupError(f"{name}={value} is outside {low}..{high}", cause="settings_invalid")
    choices = known.metadata.get("choices")
    if choices and value not in choices:
        message = f"{name}={value!r} is not {', '.join(choices[:-1])} or {choices[-1]}"
        raise RuntimeSetupError(message, cause="settings_invalid")


def parse(name: str, default: Any, text: str) -> Any:
    """`text` as a value of `default`'s type; raises RuntimeSetupError(settings_invalid) naming the variable."""
    try:
        if isinstance(default, bool):
            return {"0": False, "1": True, "false": False, "true": True}[text.lower()]
        return type(default)(text)
    except (ValueError, KeyError) as error:
        raise RuntimeSetupError(f"{name}={text!r} is not {_KINDS[type(default)]}", cause="settings_invalid") from error
