"""Signs of units and currencies and their names."""

from __future__ import annotations

import re

from trainer.text.tables import table

_TABLES = table("units")
UNITS = _TABLES["units"]
for _sign in ("Hz", "kHz", "MHz", "GHz", "dB", "kWh", "KB", "MB", "GB", "TB", "USD", "EUR", "GBP", "Mbps", "Gbps"):
    UNITS.setdefault(_sign.lower(), UNITS[_sign])
AFTER_BLANK = frozenset({"s", "t", "N", "J", "B", "in.", "us"})
"""These are units only after a blank: 90s and 5t may be names."""
ATTACHED = frozenset({"in"})
"""These are units only directly after the number: in is a word."""
SCALES = _TABLES["scales"]
CURRENCIES = {sign: tuple(names) for sign, names in _TABLES["currencies"].items()}

_INVARIABLE = {"U", "hertz", "percent", "yen", "sen", "kilohertz", "megahertz", "gigahertz"}
_IRREGULAR = {"foot": "feet", "inch": "inches", "penny": "pence", "paisa": "paise"}
_PATTERN = "|".join(re.escape(sign) for sign in sorted(UNITS, key=len, reverse=True))
UNIT = rf"(?P<unit>{_PATTERN})(?P<power>[²³]|(?<=m)[23])?(?:/(?P<per>{_PATTERN}))?(?![A-Za-z0-9])"
"""A unit, its power and what it is divided by, as they are written."""
PER = rf"(?:/(?P<per>{_PATTERN})(?![A-Za-z0-9]))?"
"""What an amount is divided by."""


def plural(noun: str) -> str:
    """The plural of a unit's name: the word before "per" or "of", or the last one, or "degree", is the one that changes."""
    first, per, rest = noun.partition(" of " if " of " in noun else " per ")
    words = first.split(" ")
    place = 0 if words[0] == "degree" else -1
    word = words[place]
    words[place] = word if word in _INVARIABLE else _IRREGULAR.get(word, f"{word}s")
    return " ".join(words) + per + rest


def named(match: re.Match[str], *, singular: bool) -> str:
    """The name of the unit that UNIT matched: "square kilometers", "meters per second"."""
    name = UNITS[match["unit"]]
    if not singular:
        name = plural(name)
    if match["power"]:
        name = f"{'square' if match['power'] in '²2' else 'cubic'} {name}"
    return f"{name} per {UNITS[match['per']]}" if match["per"] else name
