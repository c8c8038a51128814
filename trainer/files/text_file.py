"""Text files as people have them: their encoding, their lines, and a problem named by its line.

A line ends with LF, CRLF or CR and nothing else: U+2028, NEL, a vertical tab and a form feed are blanks inside a line. Everything that pairs a
line with a clip reads its file here, so that line n is the same line for all of them.
"""

from __future__ import annotations

import codecs
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from trainer.errors import DataError
from trainer.files import lfs_pointer, plain_file
from trainer.files.plain_file import PlainFileError

MAX_BYTES = 64 * 2**20
CAUSE = "transcript_invalid"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_BLANKS = "\t\v\f\x85"
TO_UTF8 = "save it as UTF-8, for example with iconv -f {0} -t UTF-8"


def read(path: Path, *, cause: str = CAUSE) -> str:
    """The text of a file that a person named, links followed; raises DataError as `decode`."""
    return decode(path, content(path, cause=cause), cause=cause)


def content(path: Path, *, cause: str = CAUSE) -> bytes:
    """The bytes of such a file; raises DataError."""
    try:
        return plain_file.read_through_links(path, limit=MAX_BYTES)
    except PlainFileError as error:
        raise DataError(
            f"{path}: not a regular text file of less than 64 MiB ({error}); replace it", cause=cause
        ) from error


def encoding(head: bytes) -> str:
    """The encoding that the first four bytes of a file announce; UTF-8 if they announce none."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8-sig")


def decode(path: Path, data: bytes, *, cause: str = CAUSE) -> str:
    """The text of these bytes with LF alone as line end; raises DataError naming file and line."""
    if len(data) > MAX_BYTES:
        raise DataError(f"{path}: larger than {MAX_BYTES} bytes; split it", cause=cause)
    name = encoding(data[:4])
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        if name != "utf-8-sig":
            raise DataError(
                f"{path}: not {name.upper()} as its first bytes say; {TO_UTF8.format(name.upper())}", cause=cause
            ) from error
        raise _not_utf8(path, data, error.start, cause) from error
    if lfs_pointer.pointer_oid(data) is not None:
        raise DataError(f"{path}: a Git LFS pointer, not a transcript; run git lfs pull", cause=cause)
    if len(data) >= 4 and text.count("\0") * 3 > len(text):
        raise DataError(
            f"{path}: UTF-16 without a byte order mark, or no text; {TO_UTF8.format('UTF-16LE')}", cause=cause
        )
    # Files that were joined hold a mark where each began.
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n\ufeff", "\n")
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.isprintable():
            bad = next((each for each in line if unicodedata.category(each) == "Cc" and each not in _BLANKS), None)
            if bad is not None:
                raise bad_line(path, number, f"control character U+{ord(bad):04X}", cause=cause)
    return text


def lines(text: str) -> Iterator[str]:
    """The lines of a text from anywhere, each with LF behind it."""
    return iter(io.StringIO(text, newline=None))


def bad_line(path: Path, number: int, problem: str, step: str = "correct the line", *, cause: str = CAUSE) -> DataError:
    """The error for one line of a text."""
    return DataError(f"{path}, line {number}: {problem}; {step}", cause=cause)


def _not_utf8(path: Path, data: bytes, place: int, cause: str) -> DataError:
    before = data[:place].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = f"not UTF-8 (byte 0x{data[place]:02X}"
    # What Windows-1252 has no character for was not written in it.
    guess = "" if data[place] in b"\x81\x8d\x8f\x90\x9d" else ", perhaps Windows-1252"
    step = TO_UTF8.format("WINDOWS-1252") if guess else "save it as UTF-8"
    return bad_line(path, before.count(b"\n") + 1, f"{found}{guess})", step, cause=cause)
