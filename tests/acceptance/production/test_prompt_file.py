"""A file of prompts is read as it is meant, or refused with its line and the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.production import prompt_file
from acceptance.production.prompt_file import Kept, LeftOut
from trainer.errors import DataError
from trainer.synthesis.sentences import SENTENCES


def read(path: Path | None, most: int = 500) -> list[Kept | LeftOut]:
    return list(prompt_file.read(path, most_characters=most))


def said(path: Path) -> list[tuple[str, str]]:
    return [(each.id, each.text) for each in read(path) if isinstance(each, Kept)]


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_line_is_a_prompt_named_by_its_number(tmp_path: Path) -> None:
    path = file(tmp_path, "a.txt", "Good morning.\n\nCome  in, please.\n")
    assert said(path) == [("0001", "Good morning."), ("0003", "Come in, please.")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "id,text\na1,Hello there.\nb-2,\"Yes, please.\"\n"),
        ("a.csv", "\ufeffID;Text;note\r\na1;Hello there.;x\r\nb-2;Yes, please.;y\r\n"),
        ("a.tsv", "note\ttext\tid\nx\tHello there.\ta1\ny\tYes, please.\tb-2\n"),
        ("a.jsonl", '{"id": "a1", "text": "Hello there."}\n{"text": "Yes, please.", "id": "b-2", "note": 3}\n'),
    ],
)  # fmt: skip
def test_tables_and_json_lines_have_ids_of_their_own(tmp_path: Path, name: str, content: str) -> None:
    assert said(file(tmp_path, name, content)) == [("a1", "Hello there."), ("b-2", "Yes, please.")]


def test_without_a_file_the_built_in_prompts_are_spoken() -> None:
    assert [each.text for each in read(None)] == list(SENTENCES)


def test_a_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    plain, marked = file(tmp_path, "a.txt", "One.\nTwo.\n"), file(tmp_path, "b.txt", "\ufeffOne.\r\nTwo.\r\n")
    assert read(plain) == read(marked)


def test_what_cannot_be_spoken_is_left_out_by_name(tmp_path: Path) -> None:
    path = file(tmp_path, "a.txt", f"Hello.\n\n😀😀\nHello.\n{'long ' * 4000}\n<br>\n5 %\n")
    found = read(path)
    assert [(each.line, each.id) for each in found if isinstance(each, Kept)] == [(1, "0001"), (7, "0007")]
    reasons = {each.line: each.reason for each in found if isinstance(each, LeftOut)}
    assert reasons[2] == "empty" and "nothing in it that can be spoken" in reasons[3] == reasons[6]
    assert reasons[4] == "the same text as 0001"
    assert reasons[5] == "19999 characters, more than 500 (production.max_prompt_characters)"
    assert all(len(each.document()["text"]) <= 200 for each in found if isinstance(each, LeftOut))


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        ("a.csv", 'id,text\na1,fine\na2,"never closed\na3,more\n', 3, "a quote that never closes"),
        ("a.csv", 'id,text\na1,a "half" quote"\na2,"x"y\n', 3, "no row of a table"),
        ("a.csv", "id,text\na1,one,two\n", 2, "3 columns where the header has 2"),
        ("a.csv", "name,words\na1,one\n", 1, "no header with the columns id and text"),
        ("a.csv", "id,text\na/b,one\n", 2, "cannot be a file's name"),
        ("a.csv", "id,text\n..,one\n", 2, "cannot be a file's name"),
        ("a.csv", "id,text\na..b,one\n", 2, "cannot be a file's name"),
        ("a.csv", "id,text\na1,one\nb,two\nA1,three\n", 4, "is already on line 2"),
        ("a.csv", "id,text\n,one\n", 2, "cannot be a file's name"),
        ("a.jsonl", '{"text": "one"}\n{"text": "two"\n', 2, "not JSON"),
        ("a.jsonl", '{"text": "one"}\n["two"]\n', 2, "no object with a text"),
        ("a.jsonl", '{"text": "one", "id": 7}\n', 1, "the id is no string"),
        ("a.jsonl", '{"text": "one", "id": "0002"}\n{"text": "two"}\n', 2, "is already on line 1"),
        ("a.txt", "id,text\na1,one\n", 1, "a table's header"),
        ("a.txt", '{"text": "one"}\n', 1, "JSON, not a sentence"),
        ("a.txt", "one\nt\x00wo\n", 2, "control character U+0000"),
        ("a.txt", b"one\n\xe9t\xe9\n", 2, "not UTF-8"),
    ],
)
def test_what_could_be_read_wrongly_is_refused_with_its_line(
    tmp_path: Path, name: str, content: str | bytes, line: int, problem: str
) -> None:
    path = file(tmp_path, name, content)
    with pytest.raises(DataError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}, line {line}: ") and problem in str(refused.value)
    assert ";" in str(refused.value) and refused.value.cause == "prompts_invalid"


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match="no prompt is in it; write one sentence a line"):
        read(file(tmp_path, "a.txt", content))


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(DataError, match=str(path)):
            read(path)
