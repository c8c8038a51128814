"""Signs of units and currencies and their names."""

from __future__ import annotations

import re

UNITS = {
    "km": "kilometer",
    "m": "meter",
    "cm": "centimeter",
    "mm": "millimeter",
    "um": "micrometer",
    "nm": "nanometer",
    "mi": "mile",
    "yd": "yard",
    "yds": "yard",
    "ft": "foot",
    "in.": "inch",
    "in": "inch",
    "kg": "kilogram",
    "g": "gram",
    "mg": "milligram",
    "ug": "microgram",
    "mcg": "microgram",
    "IU": "I U",
    "lb": "pound",
    "lbs": "pound",
    "oz": "ounce",
    "t": "ton",
    "l": "liter",
    "L": "liter",
    "ml": "milliliter",
    "mL": "milliliter",
    "cl": "centiliter",
    "gal": "gallon",
    "pt": "pint",
    "qt": "quart",
    "tsp": "teaspoon",
    "tbsp": "tablespoon",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "min": "minute",
    "mins": "minute",
    "s": "second",
    "sec": "second",
    "secs": "second",
    "ms": "millisecond",
    "us": "microsecond",
    "ns": "nanosecond",
    "yr": "year",
    "yrs": "year",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "dB": "decibel",
    "V": "volt",
    "kV": "kilovolt",
    "mV": "millivolt",
    "W": "watt",
    "kW": "kilowatt",
    "MW": "megawatt",
    "GW": "gigawatt",
    "kWh": "kilowatt hour",
    "mA": "milliampere",
    "mAh": "milliampere hour",
    "J": "joule",
    "kJ": "kilojoule",
    "cal": "calorie",
    "kcal": "kilocalorie",
    "N": "newton",
    "Pa": "pascal",
    "kPa": "kilopascal",
    "hPa": "hectopascal",
    "mmHg": "millimeter of mercury",
    "bit": "bit",
    "B": "byte",
    "kB": "kilobyte",
    "KB": "kilobyte",
    "MB": "megabyte",
    "GB": "gigabyte",
    "TB": "terabyte",
    "KiB": "kibibyte",
    "MiB": "mebibyte",
    "GiB": "gibibyte",
    "TiB": "tebibyte",
    "Mbit": "megabit",
    "Gbit": "gigabit",
    "px": "pixel",
    "ha": "hectare",
    "USD": "U S dollar",
    "EUR": "euro",
    "GBP": "pound",
    "°C": "degree celsius",
    "° C": "degree celsius",
    "°F": "degree fahrenheit",
    "° F": "degree fahrenheit",
    "°": "degree",
    "%": "percent",
    "¢": "cent",
    "€": "euro",
    "£": "pound",
    "$": "dollar",
    '"': "inch",
    "kt": "knot",
    "kts": "knot",
    "mph": "mile per hour",
    "kph": "kilometer per hour",
    "kmh": "kilometer per hour",
    "mpg": "mile per gallon",
    "rpm": "revolution per minute",
    "bpm": "beat per minute",
    "fps": "frame per second",
    "dpi": "dot per inch",
    "ppm": "part per million",
    "kbps": "kilobit per second",
    "Mbps": "megabit per second",
    "Gbps": "gigabit per second",
}
for _sign in ("Hz", "kHz", "MHz", "GHz", "dB", "kWh", "KB", "MB", "GB", "TB", "USD", "EUR", "GBP", "Mbps", "Gbps"):
    UNITS.setdefault(_sign.lower(), UNITS[_sign])
AFTER_BLANK = frozenset({"s", "t", "N", "J", "B", "in.", "us"})
"""These are units only after a blank: 90s and 5t may be names."""
ATTACHED = frozenset({"in"})
"""These are units only directly after the number: in is a word."""
SCALES = {
    "thousand": "thousand",
    "million": "million",
    "billion": "billion",
    "trillion": "trillion",
    "lakh": "lakh",
    "crore": "crore",
    "lakh crore": "lakh crore",
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "M": "million",
    "mn": "million",
    "mm": "million",
    "MM": "million",
    "bn": "billion",
    "b": "billion",
    "B": "billion",
    "tn": "trillion",
    "T": "trillion",
}
CURRENCIES = {
    "$": ("dollar", "cent"),
    "US$": ("U S dollar", "cent"),
    "A$": ("australian dollar", "cent"),
    "AU$": ("australian dollar", "cent"),
    "C$": ("canadian dollar", "cent"),
    "CA$": ("canadian dollar", "cent"),
    "HK$": ("hong kong dollar", "cent"),
    "NZ$": ("new zealand dollar", "cent"),
    "S$": ("singapore dollar", "cent"),
    "Rs": ("rupee", "paisa"),
    "Rs.": ("rupee", "paisa"),
    "CHF": ("swiss franc", "centime"),
    "£": ("pound", "penny"),
    "€": ("euro", "cent"),
    "¥": ("yen", "sen"),
    "₹": ("rupee", "paisa"),
    "¢": ("cent", ""),
}

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
