"""Tables of clips and what is said in them, one row a clip: `id|text`, and what other programs make of it.

The columns may be separated by bars, tabs, semicolons or commas, with the quotes of CSV where they are needed. Which column names the clip and which
holds its text is read from a header row, or judged by what the columns hold (see `table_columns`). What cannot be told is refused, with file,
line and the next step: a wrong guess would give every clip a wrong text without a word.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.dataset import table_columns
from trainer.dataset.clip_names import clip_id
from trainer.dataset.table_columns import Columns, Record
from trainer.errors import DataError
from trainer.files.text_file import CAUSE, bad_line

BAR = "|"
_CSV = (";", ",")
_EXCEL = re.compile(r"\Asep=.\n")
"""How Excel says which separator follows."""
_REWRITE = "write one line id|text for every clip"
_SHOWN, _VALUES = 40, 3


class _UnevenError(ValueError):
    """A line is no row as the others."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One clip of a table: its line, its name as written, and its text with single blanks."""

    line: int
    name: str
    text: str


def read(path: Path, text: str, note: Callable[[str], None] | None = None) -> list[Row]:
    """The rows of a table with this content, each clip once; raises DataError(transcript_invalid) naming file and line.

    `note` hears which columns were judged to be no text by what they hold.
    """
    records = _separated(path, text)
    columns = table_columns.decide(path, records)
    rows = [_row(path, record, columns) for record in (records[1:] if columns.header else records)]
    if not rows:
        raise DataError(f"{path}: no row; {_REWRITE}", cause=CAUSE)
    if note:
        for index in columns.unread:
            values = dict.fromkeys(value for record in records if (value := record.field(index)))
            shown = ", ".join(list(values)[:_VALUES]) + (" …" if len(values) > _VALUES else "")
            note(
                f"{path.name}: column {index + 1} is not read as text ({shown}); if it is a part of the text, write id|text"
            )
    seen: dict[str, int] = {}
    for row in rows:
        first = seen.setdefault(clip_id(row.name), row.line)
        if first != row.line:
            raise bad_line(path, row.line, f"id {row.name!r} is already on line {first}")
    if not columns.header and len(rows) > 1 and len({row.text for row in rows}) == 1:
        raise DataError(
            f"{path}: all {len(rows)} rows say {rows[0].text[:_SHOWN]!r}, which is not the text of each clip; {_REWRITE}",
            cause=CAUSE,
        )
    return rows


def fields(path: Path, text: str) -> list[Record]:
    """The rows of a table that has fixed columns, without a header; none of an empty file. Raises DataError(transcript_invalid)."""
    records = _separated(path, text) if text.strip() else []
    return records[1:] if records and table_columns.is_header(records[0].fields) else records


def sentences(path: Path, text: str) -> dict[int, str]:
    """Sentences by the number of their line, blank lines counted and left out; raises DataError where there is none, or a half table."""
    found = {number: " ".join(line.split()) for number, line in _lines(text)}
    if not found:
        raise DataError(f"{path} has no text; write one sentence a line", cause=CAUSE)
    return found


def is_table(text: str, names: Collection[str] = ()) -> bool:
    """Whether lines are rows of a table and not sentences: by a bar or tab, a header, or rows that begin with these clip ids.

    One bar is enough: a file in which only some lines have one is a damaged table.
    """
    lines = [line for _, line in _lines(text)]
    if not lines:
        return False
    if any(BAR in line for line in lines) or all("\t" in line for line in lines):
        return True
    for separator in _CSV:
        first = [_plain(line, separator)[0].strip('"') for line in lines]
        if table_columns.is_header(_plain(lines[0], separator)) or 2 * sum(
            clip_id(name) in names for name in first
        ) > len(lines):
            return True
    return False


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _plain(line: str, separator: str) -> list[str]:
    return [field.strip() for field in line.split(separator)]


def _separated(path: Path, text: str) -> list[Record]:
    """The fields of each row, split by the separator that fits all of them."""
    text = _EXCEL.sub("\n", text)
    lines = list(_lines(text))
    if not lines:
        raise DataError(f"{path}: no row; {_REWRITE}", cause=CAUSE)
    for separator in (BAR, "\t"):
        without = next((number for number, line in lines if separator not in line), None)
        if without is None:
            return _by_bars(path, text, lines, separator)
        if (
            separator == BAR
            and 2 * sum(BAR in line for _, line in lines) >= len(lines)
            and not all("\t" in line for _, line in lines)
        ):
            raise bad_line(path, without, "1 columns instead of id|text")
    found = {
        separator: records for separator in _CSV if (records := _by_csv(text, separator) or _evenly(lines, separator))
    }
    # What stands first in a row ends its name: a text may hold the other sign.
    clean = [
        separator
        for separator, records in found.items()
        if not any(other in one.fields[0] for one in records for other in _CSV)
    ]
    if len(clean) != 1:
        raise _unseparated(path, text, lines)
    return found[clean[0]]


def _by_bars(path: Path, text: str, lines: list[tuple[int, str]], separator: str) -> list[Record]:
    """Rows without quotes, as LJSpeech has them, unless a whole column is quoted or every row has a quoted field."""
    plain = [Record(line=number, fields=_plain(line, separator)) for number, line in lines]
    if _even(plain):
        return _unquoted(plain)
    quoted = all(any(_is_quoted(field) for field in record.fields) for record in plain) and _by_csv(text, separator)
    return quoted or plain


def _unquoted(records: list[Record]) -> list[Record]:
    """Rows without the quotes around columns that have them in every row but a header."""
    rows = records[1:] if len(records) > 1 and table_columns.is_header(records[0].fields) else records
    quoted = [
        all(_is_quoted(field) for field in column) for column in zip(*(record.fields for record in rows), strict=True)
    ]
    if not any(quoted):
        return records
    return [
        Record(line=record.line, fields=[
            field[1:-1].replace('""', '"').strip() if strip and _is_quoted(field) else field
            for strip, field in zip(quoted, record.fields, strict=True)
        ])
        for record in records
    ]  # fmt: skip


def _is_quoted(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == '"'


def _by_csv(text: str, separator: str) -> list[Record] | None:
    """Rows of as many fields each, at least two; None where they are not."""
    try:
        return _even(list(_csv_records(text, separator)))
    except _UnevenError:
        return None


def _csv_records(text: str, separator: str) -> Iterator[Record]:
    """Rows as CSV; raises _UnevenError with the line that is none, or has other columns than the first."""
    reader = csv.reader(
        (f"{line}\n" for line in text.split("\n")), delimiter=separator, skipinitialspace=True, strict=True
    )
    last, width = 0, 0
    try:
        for row in reader:
            if any(field.strip() for field in row):
                if width not in (0, len(row)):
                    raise _UnevenError(last + 1)
                width = len(row)
                yield Record(line=last + 1, fields=[field.strip() for field in row])
            last = reader.line_num
    except csv.Error as error:
        raise _UnevenError(last + 1) from error


def _evenly(lines: list[tuple[int, str]], separator: str) -> list[Record] | None:
    """Rows whose quotes are only a part of the text; None as above."""
    return _even([Record(line=number, fields=_plain(line, separator)) for number, line in lines])


def _even(records: list[Record]) -> list[Record] | None:
    counts = {len(record.fields) for record in records}
    return records if len(counts) == 1 and min(counts) > 1 else None


def _unseparated(path: Path, text: str, lines: list[tuple[int, str]]) -> DataError:
    """The error for lines that no separator takes apart, with the first line that differs."""
    for separator, name in ((";", "semicolon"), (",", "comma")):
        if not all(separator in line for _, line in lines):
            continue
        try:
            number = next(record.line for record in _csv_records(text, separator))
            for _ in _csv_records(text, separator):
                pass
        except _UnevenError as error:
            number = error.line
        return bad_line(
            path,
            number,
            f"its {name}s and quotes do not part it as the other lines",
            f"quote texts that hold a {name}, or {_REWRITE}",
        )
    return bad_line(
        path, lines[0][0], "1 columns instead of id|text", f"{_REWRITE} (or with tabs, semicolons or commas)"
    )


def _row(path: Path, record: Record, columns: Columns) -> Row:
    name = record.field(columns.name)
    if not name:
        raise bad_line(path, record.line, "no name of a clip", _REWRITE)
    written = [record.field(index) for index in columns.text]
    text = next((field for field in reversed(written) if field), "")
    if not text:
        raise bad_line(path, record.line, f"no text for id {name!r}", "write what is said in it, or remove the line")
    return Row(line=record.line, name=name, text=" ".join(text.split()))
