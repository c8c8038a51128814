"""A table gives every clip its own text, or is refused by line with the next step; nothing in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.dataset import table_columns, text_table
from trainer.dataset.text_table import Row
from trainer.errors import DataError

PATH = Path("metadata.csv")
SAID = [
    "Printing is an old art.",
    "It came from the East, at first.",
    "Dr. Who has 3 dogs; all bark.",
    "The fourth line ends it.",
]
SPOKEN = [
    "printing is an old art",
    "it came from the east at first",
    "doctor who has three dogs all bark",
    "the fourth line ends it",
]
IDS = ["a1", "a2", "a3", "a4"]


def lines(form: str, *more: object) -> str:
    """One line a clip: `{id}`, `{text}`, `{norm}`, and `{0}`, … from the lists that follow."""
    rows = zip(IDS, SAID, SPOKEN, *(each if isinstance(each, list) else [each] * 4 for each in more), strict=True)
    return "".join(form.format(*rest, id=name, text=text, norm=norm) + "\n" for name, text, norm, *rest in rows)


def texts(table: str) -> list[str]:
    return [row.text for row in text_table.read(PATH, table)]


KINDS = {
    "two columns": lines("{id}|{text}"),
    "blanks around bars": lines(" {id} | {text} "),
    "an empty second column": lines("{id}||{text}"),
    "an empty third column": lines("{id}|{text}|"),
    "one row with an empty third column": lines("{id}|{text}").replace("\n", "|\n", 1),
    "the speaker second": lines("{id}|narrator|{text}"),
    "the speaker third": lines("{id}|{text}|narrator"),
    "several speakers": lines("{id}|{text}|{0}", ["bob", "eve", "bob", "eve"]),
    "speakers of two words": lines("{id}|{text}|{0}", ["Bob Roe", "Eve Doe", "Bob Roe", "Eve Doe"]),
    "another speaker in each row": lines("{id}|{0}|{text}", ["bob", "eve", "ann", "tom"]),
    "a duration": lines("{id}|{text}|{0}", ["6.21", "3.5", "12.0", "1"]),
    "a duration with its unit": lines("{id}|{0}|{text}", ["6.21s", "0:03", "12 s", "1 sec"]),
    "a language": lines("{id}|{0}|{text}", ["EN", "EN", "de", "en-GB"]),
    "a split": lines("{id}|{text}|{0}", ["train", "train", "val", "test"]),
    "an emotion": lines("{id}|{text}|{0}", ["happy", "neutral", "sad", "neutral"]),
    "file, speaker, language, text": lines("{id}.wav|narrator|EN|{text}"),
    "file, no speaker, language, text": lines("{id}.wav||EN|{text}"),
    "text, speaker, emotion": lines(
        "{id}|{text}|{0}|{1}", ["bob", "eve", "bob", "eve"], ["happy", "neutral", "sad", "neutral"]
    ),
    "the file behind the text": lines("{text}|wavs/{id}.wav"),
    "an id, a file and a text": lines("{0}|wavs/{id}.wav|{text}", ["x", "y", "z", "w"]),
    "a header of two": "id|text\n" + lines("{id}|{text}"),
    "a header of Common Voice": "client_id\tpath\tsentence\tup_votes\tage\n"
    + lines("{0}\t{id}.wav\t{text}\t2\t", ["x", "y", "z", "w"]),
    "a header of DeepSpeech": "wav_filename,wav_filesize,transcript\n" + lines('{id}.wav,1234,"{text}"'),
    "a header of XTTS": "audio_file|text|speaker_name\n" + lines("wavs/{id}.wav|{text}|coqui"),
    "a header in another order": "Speaker;Transcript;File Name\n" + lines('bob;"{text}";{id}.wav'),
    "a header in capitals": "ID|TEXT\n" + lines("{id}|{text}"),
    "tabs": lines("{id}\t{text}"),
    "commas with quotes": lines('{id},"{text}"'),
    "commas with a blank": lines('{id}, "{text}"'),
    "semicolons with quotes": lines('{id};"{text}"'),
    "the separator named first": "sep=;\n" + lines('{id};"{text}"'),
    "empty columns behind": lines('{id},"{text}",,'),
    "everything quoted": lines('"{id}"|"{text}"'),
    "quoted texts": lines('{id}|"{text}"'),
    "CSV with everything quoted": lines('"{id}","{text}"'),
    "blank lines": "\n\n" + lines("{id}|{text}").replace("\n", "\n  \n\n"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_is_found_by_what_the_columns_hold(kind: str) -> None:
    rows = text_table.read(PATH, KINDS[kind])
    assert [Path(row.name).stem for row in rows] == IDS
    assert [row.text for row in rows] == SAID


@pytest.mark.parametrize(
    "table",
    [
        lines("{id}|{text}|{norm}"), lines("{id}|{text}|{norm}|6.2"), lines("{id}|bob|{text}|{norm}"),
        "id|text|normalized_text\n" + lines("{id}|{text}|{norm}"), "id|normalized_text|raw_text\n" + lines("{id}|{norm}|{text}"),
    ],
)  # fmt: skip
def test_the_normalised_text_wins_over_the_raw_one(table: str) -> None:
    assert texts(table) == SPOKEN


def test_a_row_without_a_normalised_text_has_its_raw_one() -> None:
    table = lines("{id}|{text}|{norm}").replace(f"|{SPOKEN[1]}", "").replace(f"|{SPOKEN[3]}", "|")
    assert texts(table) == [SPOKEN[0], SAID[1], SPOKEN[2], SAID[3]]


def test_the_line_of_a_row_counts_blank_lines_and_lines_inside_quotes() -> None:
    assert text_table.read(PATH, '\na,"One\n\ntwo."\n\nb,"Three, four."\n') == [
        Row(line=2, name="a", text="One two."), Row(line=6, name="b", text="Three, four."),
    ]  # fmt: skip


REFUSED = {
    "one column": ("one\ntwo\n", "line 1: 1 columns instead of id|text"),
    "half a table": (lines("{id}|{text}").replace("a3|", "a3: "), "line 3: 1 columns instead of id|text"),
    "five columns": (lines("{id}|{text}|a|b|c"), "line 1: 5 columns instead of id|text"),
    "a bar inside one text": (lines("{id}|{text}").replace(" came", " | came"), "line 2: 3 columns where most lines have 2 (a2 | It | came from"),
    "a bar inside one text of three columns": (lines("{id}|{text}|bob").replace(" came", " | came"), "line 2: 4 columns where most lines have 3"),
    "a bar inside every text": (lines("{id}|{text} | {0}", [*SAID[1:], SAID[0]]), "columns 2 and 3 may both be the text"),
    "a bar inside one text of a header": ("id|text\n" + lines("{id}|{text}").replace(" came", "|came"), "line 3: 3 columns where the header has 2"),
    "a missing column": (lines("{id}|{text}|bob").replace("first.|bob", "first."), "line 2: 2 columns where most lines have 3"),
    "a normalised text of another clip": (
        lines("{id}|{text}|{norm}|").replace(SPOKEN[0], "no sheep may sleep").replace("a1|", "a0|") + lines("b{id}|{text}|{norm}|"),
        "line 1: columns 2 and 3 say different things",
    ),
    "phonemes behind the text": (lines("{id}|{text}|{0}", ["DH AH0 K AE1 T", "S AE1 T AA1 N", "AH0 M AE1 T", "W IH1 DH"]),
                                  "columns 2 and 3 may both"),
    "a comment in some rows": (lines("{id}|{text}|").replace("art.|", "art.|rather good take"), "columns 2 and 3 may both be the text"),
    "single words and single names": ("a|left|bob\nb|right|eve\n", "columns 2 and 3 may both be the text"),
    "one text for all": (lines("{id}|narrator"), "line 1: column 2 holds 'narrator' and the like, which is not the text of each clip"),
    "two speakers alone": (lines("{id}|{0}", ["bob", "eve", "bob", "bob"]), "column 2 holds few values that come back, perhaps speakers or labels"),
    "durations alone": (lines("{id}|{0}", ["6.21", "3.5", "12.0", "1"]), "no column is certainly the text"),
    "two columns of files": (lines("{text}|{id}.wav|{id}_clean.wav"), "columns 2 and 3 all name audio files"),
    "two texts by header": ("id|text|transcript\n" + lines("{id}|{text}|{norm}"), "columns 2 and 3 are both named as texts"),
    "a comma without quotes": (lines("{id},{text}"),
                                "line 2: its commas and quotes do not part it as the other lines; quote texts that hold a comma"),
    "a semicolon without quotes": (lines("{id};{text}"), "line 3: its semicolons and quotes do not part it"),
    "an open quote": ('a,"One, two\nb,"Three."\n', "line 1: its commas and quotes"),
    "no text": (lines("{id}|{text}").replace(SAID[1], " "), "line 2: no text for id 'a2'"),
    "no text at all": (lines("{id}|"), "line 1: no text for id 'a1'"),
    "no name": (lines("{id}|{text}").replace("a2", ""), "line 2: no name of a clip"),
    "one clip twice": (lines("{id}|{text}") + "wavs\\a1.wav|Again.\n", "line 5: id 'wavs\\\\a1.wav' is already on line 1"),
    "a header alone": ("id|text\n", "no row"),
    "nothing": ("\n \n", "no row"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_told_is_refused_by_line_with_the_next_step(kind: str) -> None:
    table, words = REFUSED[kind]
    with pytest.raises(DataError) as caught:
        text_table.read(PATH, table)
    message = str(caught.value)
    assert message.startswith("metadata.csv") and words in message and "; " in message
    assert caught.value.cause == "transcript_invalid"


def test_one_text_for_all_clips_is_taken_when_a_header_names_it() -> None:
    assert texts("id|text\na|Hello there.\nb|Hello there.\n") == ["Hello there."] * 2


@pytest.mark.parametrize(
    ("text", "names", "table"),
    [
        ("One.\nTwo, three.\n", (), False), ("One, two.\nThree, four.\n", (), False), ("a1,One.\na2,Two.\n", ("a1", "a2"), True),
        ("name,text\na1,One.\n", (), True), ("a1|One.\nTwo.\n", (), True), ("a1\tOne.\na2\tTwo.\n", (), True), ("", (), False),
    ],
)  # fmt: skip
def test_sentences_are_told_from_a_table(text: str, names: tuple[str, ...], table: bool) -> None:
    assert text_table.is_table(text, names) is table


def test_thirteen_thousand_rows_take_seconds() -> None:
    table = "".join(f"LJ{n:05d}|{SAID[n % 4]} Number {n}.|{SPOKEN[n % 4]} number {n} spoken\n" for n in range(13_100))
    assert len(text_table.read(PATH, table)) == 13_100


@pytest.mark.parametrize(
    ("raw", "normalised", "same"),
    [
        ("Nov. 22, 1963.", "November twenty-two, nineteen sixty-three.", True), ("Etc.", "et cetera", True), ("$5.", "five dollars", True),
        ("Mr. and Mrs. John W. Doe", "mister and misess john w doe", True), ("Café Déjà", "cafe deja", True), ("1455", "fourteen fifty five", True),
        ("At 3 p.m. on the 5th", "at three p m on the fifth", True), ("\u4f60\u597d", "\u4f60\u597d", True),
        ("In 1984 we met here again.", "good", False), ("The cat sat down here.", "and then it slept all day", False),
        ("Printing is an old art.", "no sheep may sleep", False), ("The cat sat.", "DH AH0 K AE1 T", False),
    ],
)  # fmt: skip
def test_a_normalised_text_is_told_from_another_text(raw: str, normalised: str, same: bool) -> None:
    assert table_columns.resembles(raw, normalised) is same
