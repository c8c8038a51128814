"""A text is read in the encodings that people save it in, line by line, or refused with its line."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from trainer.errors import DataError
from trainer.files import text_file

PATH = Path("table.csv")
TEXT = "One.\nZwölf, \u2019tis.\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
        "One.\n\ufeffZwölf, \u2019tis.\n".encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        codecs.BOM_UTF16_LE + TEXT.replace("\n", "\r\n").encode("utf-16-le"),
    ],
    ids=["utf8", "utf8-bom", "utf16le", "utf16be", "utf32", "joined", "crlf", "cr", "utf16-crlf"],
)
def test_the_same_text_is_read_from_every_encoding_and_line_end(data: bytes) -> None:
    assert text_file.decode(PATH, data) == TEXT


@pytest.mark.parametrize("blank", ["\u2028", "\u2029", "\x85", "\v", "\f", "\t"])
def test_other_separators_are_blanks_inside_a_line(blank: str) -> None:
    text = text_file.decode(PATH, f"one{blank}two\nthree".encode())
    assert text.split("\n") == [f"one{blank}two", "three"] == [line.rstrip("\n") for line in text_file.lines(text)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"one\n\ncaf\xe9 \x92\n",
            "line 3: not UTF-8 (byte 0xE9, perhaps Windows-1252); save it as UTF-8, for example with iconv -f WINDOWS-1252",
        ),
        (b"one\rtwo\r\x81\r", "line 3: not UTF-8 (byte 0x81); save it as UTF-8"),
        ("one two".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a", "not UTF-16 as its first bytes say"),
        (b"a\nbell\x07\n", "line 2: control character U+0007"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "git lfs pull"),
    ],
)
def test_what_is_no_text_is_refused_by_line_with_the_next_step(data: bytes, words: str) -> None:
    with pytest.raises(DataError) as caught:
        text_file.decode(PATH, data)
    assert words in str(caught.value) and ";" in str(caught.value) and caught.value.cause == "transcript_invalid"


def test_a_text_larger_than_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    with path.open("wb") as file:
        file.truncate(text_file.MAX_BYTES + 1)
    with pytest.raises(DataError, match="less than 64 MiB"):
        text_file.read(path)
