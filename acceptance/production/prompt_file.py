"""Reads the prompts of a production: one a line, a table with the columns id and text, or JSON lines.

What cannot be spoken is left out by name. What could be read in two ways (an id twice, a quote that never closes, a table under
another name) is refused with file, line and the next step.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import DataError
from trainer.evaluation.normaliser import spoken_words
from trainer.files import strict_json, text_file
from trainer.files.printable import quoted
from trainer.files.text_file import bad_line
from trainer.production import layout
from trainer.synthesis.sentences import SENTENCES

CAUSE = "prompts_invalid"
BUILT_IN = "the built-in prompts"

_LEAST_DIGITS = 4
_SEPARATORS = {".csv": (",", ";"), ".tsv": ("\t",), ".tab": ("\t",)}
_JSON_LINES = (".jsonl", ".ndjson")
_COLUMNS = ("id", "text")
_PLAIN = re.compile(r"[^<&]*[A-Za-z0-9][^<&]*")
"""A text with a Latin letter or a digit and without markup has something to speak; only others are analysed."""
_SHOWN_TEXT = 200
_REWRITE = "write one sentence a line, or the columns id and text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A prompt as it stands in the file; without an id of its own it is named by its line."""

    line: int
    text: str
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A prompt to speak."""

    line: int
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A prompt that is not spoken, and why."""

    line: int
    id: str | None
    text: str
    reason: str

    def document(self) -> dict[str, Any]:
        """As a line of `left_out.jsonl`."""
        return {"line": self.line, "id": self.id, "text": self.text[:_SHOWN_TEXT], "reason": self.reason}


def read(path: Path | None, *, most_characters: int) -> Iterator[Kept | LeftOut]:
    """Every prompt of a file in order, or of the built-in set for None; raises DataError(prompts_invalid) naming file and line."""
    found = _built_in() if path is None else _read(path)
    lines: dict[str, int] = {}
    said: dict[str, str] = {}
    for each in found:
        name = f"{each.line:0{_LEAST_DIGITS}d}" if each.id is None else each.id
        if path is not None:
            _check_id(path, each.line, name, lines)
        reason = _left_out(each.text, said, most_characters)
        if reason is not None:
            yield LeftOut(line=each.line, id=each.id, text=each.text, reason=reason)
            continue
        said[each.text] = name
        yield Kept(line=each.line, id=name, text=each.text)


def _left_out(text: str, said: dict[str, str], most_characters: int) -> str | None:
    """Why a text is not spoken; None if it is."""
    if not text:
        return "empty"
    if len(text) > most_characters:
        return f"{len(text)} characters, more than {most_characters} (production.max_prompt_characters)"
    if text in said:
        return f"the same text as {said[text]}"
    if not _PLAIN.fullmatch(text):
        try:
            spoken_words(text)
        except DataError as error:
            return str(error).partition(";")[0]
    return None


def _check_id(path: Path, line: int, name: str, lines: dict[str, int]) -> None:
    if not layout.is_prompt_id(name):
        raise bad_line(
            path,
            line,
            f"the id {quoted(name)} cannot be a file's name",
            "use up to 100 Latin letters, digits, - and _ (a single . inside); begin with a letter or a digit",
            cause=CAUSE,
        )
    first = lines.setdefault(name.casefold(), line)
    if first != line:
        raise bad_line(
            path, line, f"the id {quoted(name)} is already on line {first}", "give every prompt an id of its own", cause=CAUSE
        )  # fmt: skip


def _built_in() -> Iterator[Found]:
    for number, text in enumerate(SENTENCES, start=1):
        yield Found(line=number, text=text)


def _read(path: Path) -> Iterator[Found]:
    """What stands in a file, its blanks single; the file's name decides how it is read."""
    if path.is_dir():
        raise DataError(f"{path}: a folder; give a file of prompts", cause=CAUSE)
    text = text_file.read(path, cause=CAUSE)
    if not text.strip():
        raise DataError(f"{path}: no prompt is in it; {_REWRITE}", cause=CAUSE)
    ending = path.suffix.lower()
    if ending in _SEPARATORS:
        return _table(path, text, _SEPARATORS[ending])
    if ending in _JSON_LINES:
        return _json_lines(path, text)
    _refuse_hidden_table(path, text)
    return _sentences(text)


def _sentences(text: str) -> Iterator[Found]:
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        yield Found(line=number, text=" ".join(line.split()))


def _refuse_hidden_table(path: Path, text: str) -> None:
    """A table or JSON lines under another name would be spoken with ids and signs."""
    first = text.lstrip().partition("\n")[0]
    for ending, separators in _SEPARATORS.items():
        for separator in separators:
            if set(_header(first.split(separator))) >= set(_COLUMNS):
                raise bad_line(path, 1, "a table's header", f"call the file {path.stem}{ending}", cause=CAUSE)
    if first.startswith("{"):
        raise bad_line(path, 1, "JSON, not a sentence", f"call the file {path.stem}.jsonl", cause=CAUSE)


def _table(path: Path, text: str, separators: tuple[str, ...]) -> Iterator[Found]:
    """Rows of a table with a header that names id and text; other columns are not read."""
    lines = text.split("\n")
    start = next(number for number, line in enumerate(lines) if line.strip())
    separator = next((sign for sign in separators if sign in lines[start]), None)
    header = _header(lines[start].split(separator)) if separator else []
    if any(header.count(name) != 1 for name in _COLUMNS):
        raise bad_line(
            path, start + 1, "no header with the columns id and text", "put id,text before the rows", cause=CAUSE
        )
    name, said = (header.index(column) for column in _COLUMNS)
    for number, row in _rows(path, lines, start + 1, separator or ","):
        if not any(field.strip() for field in row):
            yield Found(line=number, text="")
            continue
        if len(row) != len(header):
            raise bad_line(
                path, number, f"{len(row)} columns where the header has {len(header)}", "quote texts that hold the separator", cause=CAUSE
            )  # fmt: skip
        yield Found(line=number, id=row[name].strip(), text=" ".join(row[said].split()))


def _rows(path: Path, lines: list[str], start: int, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of every row. A row is one line, so that a quote that never closes cannot swallow the rows behind it."""
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line.strip():
            if number < len(lines):
                yield number, []
            continue
        try:
            (row,) = csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True)
        except (csv.Error, ValueError) as error:
            problem = "a quote that never closes" if line.count('"') % 2 else f"no row of a table ({error})"
            raise bad_line(
                path, number, problem, 'close it on this line, or write a quote in a text as ""', cause=CAUSE
            ) from error
        yield number, row


def _header(fields: list[str]) -> list[str]:
    return [field.strip().strip('"').casefold() for field in fields]


def _json_lines(path: Path, text: str) -> Iterator[Found]:
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        if not line.strip():
            yield Found(line=number, text="")
            continue
        try:
            value = strict_json.loads(line)
        except ValueError as error:
            raise bad_line(
                path, number, str(error), 'write {"id": "a1", "text": "Good morning."}', cause=CAUSE
            ) from error
        yield _from_object(path, number, value)


def _from_object(path: Path, number: int, value: Any) -> Found:
    """The prompt of one JSON object; other keys are not read."""
    step = 'write {"id": "a1", "text": "Good morning."}'
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        raise bad_line(path, number, "no object with a text", step, cause=CAUSE)
    name = value.get("id")
    if name is not None and not isinstance(name, str):
        raise bad_line(path, number, "the id is no string", step, cause=CAUSE)
    return Found(line=number, id=name, text=" ".join(value["text"].split()))
