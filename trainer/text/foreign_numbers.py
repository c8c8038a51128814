"""Rewrites numbers that are grouped as in Europe, Switzerland or India the English way: `1.299,00` -> `1299.00`."""

from __future__ import annotations

import re

_UNITS = r"(?=\s?(?:%|€|EUR\b|°|(?:km|cm|mm|kg|mg|ml|kWh|GB|MB|g|l|m)\b))"
_RULES: tuple[re.Pattern[str], ...] = (
    # Groups of three after full stops and decimals after a comma: no other reading.
    re.compile(r"(?<![\d.,])(?P<whole>\d{1,3}(?:\.\d{3})+),(?P<decimals>\d{1,2})(?!\d|[.,]\d)"),
    # A decimal comma beside a currency or a unit. English groups have three digits after a comma.
    re.compile(r"(?:(?<=€)|(?<=€ ))(?P<whole>\d{1,9}),(?P<decimals>\d{1,2})(?!\d|[.,]\d)"),
    re.compile(rf"(?<![\d.,€£$])(?P<whole>\d{{1,9}}),(?P<decimals>\d{{1,2}}){_UNITS}"),
    # Groups of three after full stops beside the euro.
    re.compile(r"(?:(?<=€)|(?<=€ ))(?P<whole>\d{1,3}(?:\.\d{3})+)(?P<decimals>)(?!\d|[.,]\d)"),
    re.compile(r"(?<![\d.,])(?P<whole>\d{1,3}(?:\.\d{3})+)(?P<decimals>)(?=\s?(?:€|EUR\b))"),
    # Groups of three after blanks beside a currency or a unit.
    re.compile(rf"(?<![\d.,] )(?<![\d.,])(?P<whole>\d{{1,3}}(?: \d{{3}})+)(?:,(?P<decimals>\d{{1,2}}))?{_UNITS}"),
    # Apostrophes in Switzerland, and groups of two before the last three digits in India.
    re.compile(r"(?<![\d.,'])(?P<whole>\d{1,3}(?:'\d{3})+)(?:\.(?P<decimals>\d{1,2}))?(?![\d'])"),
    re.compile(r"(?<![\d.,])(?P<whole>\d{1,2}(?:,\d{2})+,\d{3})(?:\.(?P<decimals>\d{1,2}))?(?!\d|,\d)"),
)


def rewritten(text: str) -> str:
    """`text` with such numbers as plain digits and a decimal point; `1.500 kg` stays, because it may be one and a half."""
    for rule in _RULES:
        text = rule.sub(_plain, text)
    return text


def _plain(match: re.Match[str]) -> str:
    whole = re.sub(r"\D", "", match["whole"])
    return f"{whole}.{match['decimals']}" if match["decimals"] else whole
