"""Money in whole micro-dollars: sums of it never round."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

MICRO = 1_000_000
_HOUR_MS = 3_600_000


def micro(amount: float | Decimal | str) -> int:
    """Micro-dollars of an amount in dollars, rounded half to even."""
    value = amount if isinstance(amount, Decimal) else Decimal(str(amount))
    return int((value * MICRO).to_integral_value(rounding=ROUND_HALF_EVEN))


def price(duration_ms: int, rate: int) -> int:
    """What so many milliseconds cost at a rate in micro-dollars an hour, rounded half to even."""
    return int((Decimal(duration_ms) * rate / _HOUR_MS).to_integral_value(rounding=ROUND_HALF_EVEN))


def text(amount: int, currency: str, *, decimals: int = 4) -> str:
    """An amount of micro-dollars as people read it: `0.0123 USD`."""
    return f"{Decimal(amount) / MICRO:.{decimals}f} {currency}"
