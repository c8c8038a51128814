"""Settings for the minutes that a training may take: `<PREFIX>MINUTES` chooses them, every other `<PREFIX><FIELD>` changes one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trainer.errors import RuntimeSetupError
from trainer.training.settings import Settings, from_environment

DEFAULT_MINUTES = "5"


def chosen(
    kind: type[Settings], presets: Mapping[int, Settings], prefix: str, environ: Mapping[str, str]
) -> tuple[Settings, str]:
    """The settings, and what a person should know of them ("" where there is nothing); raises RuntimeSetupError(settings_invalid)."""
    variable = f"{prefix}MINUTES"
    values = dict(environ)
    text = values.pop(variable, DEFAULT_MINUTES)
    try:
        minutes = float(text)
    except ValueError as error:
        raise RuntimeSetupError(f"{variable}={text!r} is not a number of minutes", cause="settings_invalid") from error
    if not 0.0 < minutes < math.inf:
        raise RuntimeSetupError(f"{variable}={text!r} is not a number of minutes above 0", cause="settings_invalid")
    settings = from_environment(kind, prefix, values, start=fitting(presets, minutes))
    if minutes in presets:
        return settings, ""
    known = ", ".join(f"{bound:g}" for bound in sorted(presets))
    return (
        settings,
        f"{variable}={minutes:g}: the preset for {_bound(presets, minutes):g} minutes is taken; there are {known}",
    )


def fitting(presets: Mapping[int, Settings], minutes: float) -> Settings:
    """The largest preset that fits into `minutes`; the smallest for less."""
    return presets[_bound(presets, minutes)]


def _bound(presets: Mapping[int, Settings], minutes: float) -> int:
    return max((bound for bound in presets if bound <= minutes), default=min(presets))
