"""Which column of a table names the clip, and which holds what is said in it.

A header row decides by its names. Without one the first column is the name, unless another one alone holds names of audio files; the text is the
only column that can be one: not numbers, languages, splits or emotions, not one value in all rows, not one short word that comes back. Two such
columns are raw and normalised text where they resemble each other in every row (the second is read, as LJSpeech means it), else nothing is known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

from trainer.dataset.clip_names import is_audio
from trainer.errors import DataError
from trainer.files.text_file import CAUSE, bad_line

_NAMES = frozenset(
    "id file fileid filename filepath fname path audio audiofile audiofilename audiofilepath audiopath wav wavs wavfile wavfilename wavpath clip "
    "clipid clipname clippath name utt uttid utteranceid recording segmentid key basename".split()
)
_TEXTS = frozenset(
    "text texts transcript transcripts transcription transcriptions sentence sentences utterance said words prompt content script".split()
)
_RAW = frozenset("raw rawtext rawtranscription rawtranscript original originaltext".split())
_NORMALISED = frozenset(
    "normalizedtext normalisedtext normalized normalised textnormalized textnormalised normalizedtranscription normalisedtranscription "
    "normalizedtranscript normalisedtranscript normalizedsentence normtext textnorm cleantext cleanedtext cleantranscription".split()
)
_LABELS = frozenset(
    "train training dev val valid validation test eval heldout held_out male female m f neutral happy sad angry fearful surprised disgusted "
    "en de fr es it nl pt pl ru zh ja ko ar tr cs hu hi fi sv da nb jp kr cn eng deu fra spa ita jpn kor zho english german french spanish "
    "italian chinese japanese korean".split()
)
_LOCALE = re.compile(r"[a-z]{2,3}[-_][a-z]{2,4}")
_NUMBER = re.compile(r"[-+]?\d+([.,:]\d+)*(e[-+]?\d+)?\s*(s|ms|sec|seconds|min|k?hz|%)?")
_LETTERS = re.compile(r"[^\W\d_]+")
_SHORT = re.compile(r"\b([^\W\d_]{1,4})\.")
_VARIED, _MOSTLY, _ALIKE = 0.5, 0.9, 0.75
_SAME_WORDS, _SAME_LETTERS, _COMPARED = 0.75, 0.6, 400
_FEW = 4
_WIDEST = 4
_HEADER = "put a header before the rows, for example id|text or audio_file|text|speaker_name"
_SHOWN = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The fields of one row, without blanks around them."""

    line: int
    fields: list[str]

    def field(self, index: int) -> str:
        """A field; empty if the row is shorter."""
        return self.fields[index] if index < len(self.fields) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Indices of the columns that are read. The last text that a row has is what is said."""

    name: int
    text: tuple[int, ...]
    header: bool
    unread: tuple[int, ...] = ()
    """Columns without a header that hold something else."""


def decide(path: Path, records: Sequence[Record]) -> Columns:
    """The columns of a table, every row of which fits them; raises DataError(transcript_invalid)."""
    header = is_header(records[0].fields)
    rows = records[1:] if header else records
    counts = Counter(len(record.fields) for record in rows)
    width = len(records[0].fields) if header else min(counts, key=lambda count: (-counts[count], count))
    if header:
        _require_width(path, rows, width, most="the header has")
        return _by_header(path, records[0], rows)
    if not 2 <= width <= _WIDEST:
        raise bad_line(path, rows[0].line, f"{width} columns instead of id|text or id|text|normalised", _HEADER)
    spare = _require_width(path, rows, width, most="most lines have")
    name = _name_column(path, rows, width)
    texts = _text_columns(path, rows, [index for index in range(width + spare) if index != name])
    _require_whole(path, rows, width, texts)
    other = [
        index for index in range(width) if index not in (name, *texts) and any(record.field(index) for record in rows)
    ]
    return Columns(name=name, text=texts, header=False, unread=tuple(other))


def is_header(fields: Sequence[str]) -> bool:
    """Whether these fields name columns: one a clip, one a text."""
    words = {_word(field) for field in fields}
    return not words.isdisjoint(_NAMES) and not words.isdisjoint(_RAW | _TEXTS | _NORMALISED)


def resembles(raw: str, normalised: str) -> bool:
    """Whether two texts say the same, one of them with numbers and abbreviations spoken out."""
    words, spoken = (set(_LETTERS.findall(text.casefold())) for text in (raw, normalised))
    short = {word for word in _SHORT.findall(raw.casefold()) if any(each[0] == word[0] for each in spoken)}
    shared = len(words & (spoken | short))
    if words and shared >= _SAME_WORDS * len(words):
        return True
    if any(each.isdigit() for each in raw):
        return len(raw.split()) <= len(normalised.split()) and 2 * shared >= len(words)
    letters = raw.casefold()[:_COMPARED], normalised.casefold()[:_COMPARED]
    return SequenceMatcher(None, *letters, autojunk=False).ratio() >= _SAME_LETTERS


def _word(field: str) -> str:
    return "".join(each for each in field.casefold() if each.isalnum())


def _require_width(path: Path, rows: Sequence[Record], width: int, *, most: str) -> int:
    """1 if some rows of two columns have a third that repeats their text normalised, else 0; raises for other fields too many."""
    spare = 0
    for record in rows:
        if not any(record.fields[width:]):
            continue
        if width == 2 and len(record.fields) == 3 and resembles(record.fields[1], record.fields[2]):
            spare = 1
            continue
        raise bad_line(
            path, record.line, f"{len(record.fields)} columns where {most} {width} ({_shown(record.fields)})",
            "a text cannot hold the sign between the columns: take it out, or quote every field",
        )  # fmt: skip
    return spare


def _by_header(path: Path, header: Record, rows: Sequence[Record]) -> Columns:
    words = [_word(field) for field in header.fields]
    named = [index for index, word in enumerate(words) if word in _NAMES]
    files = [index for index in named if _share([record.field(index) for record in rows], is_audio) >= _MOSTLY]
    texts: list[int] = []
    for known in (_RAW, _TEXTS, _NORMALISED):
        found = [index for index, word in enumerate(words) if word in known]
        if len(found) > 1:
            raise bad_line(
                path, header.line, f"columns {_numbers(found)} are both named as texts", "keep the one that is spoken"
            )
        texts += found
    return Columns(name=(files or named)[0], text=tuple(texts), header=True)


def _name_column(path: Path, rows: Sequence[Record], width: int) -> int:
    """The first column, unless only another holds names of audio files."""
    files = [index for index in range(width) if _share([record.field(index) for record in rows], is_audio) >= _MOSTLY]
    if not files or 0 in files:
        return 0
    if len(files) > 1:
        raise _undecided(path, rows, f"columns {_numbers(files)} all name audio files")
    return files[0]


def _text_columns(path: Path, rows: Sequence[Record], others: Sequence[int]) -> tuple[int, ...]:
    """The column of texts; the raw and the normalised one where there are two."""
    columns = {index: [field for record in rows if (field := record.field(index))] for index in others}
    single = len(rows) == 1 and len(columns) == 1
    possible = {
        index: values for index, values in columns.items() if values and (single or not _is_no_text(values, len(rows)))
    }
    words = {index: _variety(values) for index, values in possible.items() if not _is_token(values)}
    sentences = [
        index for index, variety in words.items() if variety > _VARIED * max(words.values()) and variety > _VARIED / 2
    ]
    found = sentences or [index for index, values in possible.items() if index in words or _variety(values) > _VARIED]
    if not found and len(possible) == 1:
        found = list(possible)
    if not found:
        values = [values for values in columns.values() if values]
        if len(values) == 1 and len(set(values[0])) < len(values[0]) == len(rows):
            raise _undecided(
                path,
                rows,
                f"column {others[0] + 1} holds {values[0][0][:_SHOWN]!r} and the like, which is not the text of each clip",
            )
        if not values:
            raise bad_line(
                path,
                rows[0].line,
                f"no text for id {rows[0].field(0)!r}",
                "write what is said in it, or remove the line",
            )
        raise _undecided(path, rows, "no column is certainly the text")
    if not _may_be_text(columns[found[-1]], len(rows)):
        raise _undecided(
            path, rows, f"column {found[-1] + 1} holds few values that come back, perhaps speakers or labels"
        )
    for one, other in pairwise(found):
        pairs = [
            (record, record.field(one), record.field(other))
            for record in rows
            if record.field(one) and record.field(other)
        ]
        different = [record for record, raw, normalised in pairs if not resembles(raw, normalised)]
        if len(different) > (1 - _ALIKE) * len(pairs):
            raise _undecided(
                path, different, f"columns {_numbers(found)} may both be the text and say different things"
            )
        if different:
            raise bad_line(
                path, different[0].line, f"columns {_numbers([one, other])} say different things ({_shown(different[0].fields)})",
                "correct the line; a text cannot hold the sign between the columns",
            )  # fmt: skip
    return tuple(found)


def _is_no_text(values: Sequence[str], rows: int) -> bool:
    """Numbers, durations, files, labels, or one value in (nearly) all of several rows."""
    same = rows > 1 and len(values) > rows / 2 and len(set(values)) == 1
    return same or _share(values, _is_label) >= _MOSTLY


def _may_be_text(values: Sequence[str], rows: int) -> bool:
    """Whether enough of the values differ."""
    least = _VARIED if _is_token(values) and rows >= _FEW else _VARIED / 2 if rows >= 2 * _FEW else 0.0
    return _variety(values) > least


def _is_label(value: str) -> bool:
    word = value.casefold()
    return bool(_NUMBER.fullmatch(word) or _LOCALE.fullmatch(word)) or word in _LABELS or is_audio(word)


def _is_token(values: Sequence[str]) -> bool:
    """Whether (nearly) every value is one word, as a speaker's name is."""
    return _share(values, lambda value: len(value.split()) == 1) >= _MOSTLY


def _variety(values: Sequence[str]) -> float:
    """1 if each value is another, near 0 if few come back."""
    return len(set(values)) / len(values)


def _share(values: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, values)) / len(values) if values else 0.0


def _require_whole(path: Path, rows: Sequence[Record], width: int, texts: Sequence[int]) -> None:
    """Rows may lack a normalised text, and nothing else."""
    needed = width - 1 if len(texts) > 1 and texts[-1] == width - 1 else width
    for record in rows:
        if len(record.fields) < needed:
            raise bad_line(
                path, record.line, f"{len(record.fields)} columns where most lines have {width} ({_shown(record.fields)})",
                "write every line with the same columns",
            )  # fmt: skip


def _undecided(path: Path, rows: Sequence[Record], problem: str) -> DataError:
    first = rows[0]
    return DataError(f"{path}, line {first.line}: {problem} ({_shown(first.fields)}); {_HEADER}", cause=CAUSE)


def _numbers(indices: Sequence[int]) -> str:
    return " and ".join(str(index + 1) for index in indices)


def _shown(fields: Sequence[str]) -> str:
    return " | ".join(field if len(field) <= _SHOWN else field[:_SHOWN] + "…" for field in fields)
