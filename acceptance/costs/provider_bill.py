"""A provider's bill beside our own account, day by day, so that the tracker can be checked against what was paid."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from acceptance.costs import money
from acceptance.failure import HarnessError
from trainer.files import text_file
from trainer.files.printable import quoted

DATE, AMOUNT = "date", "amount"
"""The columns that are read: a UTC day as 2026-01-02, and what was paid in the policy's currency. Others are left alone."""
_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
CAUSE = "bill_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledDay:
    """One day: micro-units on the bill and in our account."""

    day: str
    billed: int
    tracked: int


def read(path: Path) -> dict[str, int]:
    """Micro-units by day; rows of one day add up. Raises HarnessError or DataError(bill_invalid), naming the line."""
    text = text_file.read(path, cause=CAUSE)
    reader = csv.DictReader(io.StringIO(text), strict=True)
    found: dict[str, int] = {}
    try:
        names = reader.fieldnames or ()
        for name in (DATE, AMOUNT):
            if names.count(name) > 1:
                raise _wrong(path, 1, f"{names.count(name)} columns are named {name}, and only one can be read")
        for row in reader:
            day, amount = _row(path, reader.line_num, row)
            found[day] = found.get(day, 0) + amount
    except csv.Error as error:
        raise _wrong(path, reader.line_num, str(error)) from error
    if not found:
        raise _wrong(path, 1, "it has no row")
    return found


def compare(billed: Mapping[str, int], tracked: Mapping[str, int]) -> list[BilledDay]:
    """Every day that the bill or the account knows, in order."""
    return [
        BilledDay(day=day, billed=billed.get(day, 0), tracked=tracked.get(day, 0))
        for day in sorted({*billed, *tracked})
    ]


def _row(path: Path, line: int, row: Mapping[str | None, str | None]) -> tuple[str, int]:
    day, amount = row.get(DATE), row.get(AMOUNT)
    if day is None or amount is None or None in row:
        raise _wrong(
            path, line, f"it needs the columns {DATE} and {AMOUNT} in its first line, and as many cells in each"
        )
    if not _DAY.fullmatch(day.strip()):
        raise _wrong(path, line, f"{quoted(day)} is no day as 2026-01-02")
    try:
        value = Decimal(amount.strip())
    except InvalidOperation as error:
        raise _wrong(path, line, f"{quoted(amount)} is no amount as 1.25") from error
    if not value.is_finite() or abs(value) > 10**9:
        raise _wrong(path, line, f"{quoted(amount)} is no amount as 1.25")
    return day.strip(), money.micro(value)


def _wrong(path: Path, line: int, problem: str) -> HarnessError:
    return HarnessError(f"{path}:{line}: {problem}; correct that line", cause=CAUSE)
