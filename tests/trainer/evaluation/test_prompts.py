"""Which clips are judged and what they are meant to say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from trainer.dataset import manifest
from trainer.errors import DataError
from trainer.evaluation import normaliser, prompts


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Three clips: voice_1, voice_2, voice_10."""
    for number in (1, 2, 10):
        soundfile.write(tmp_path / f"voice_{number}.wav", np.full(100, 0.1), 16_000)
    return tmp_path


def texts(folder: Path, content: str) -> Path:
    path = folder / "texts.txt"
    path.write_text(content, encoding="utf-8")
    return path


def said(items: list[prompts.Item]) -> list[tuple[str, str, bool]]:
    return [(item.id, item.prompt, item.path is not None) for item in items]


def test_sentences_are_found_by_number_and_one_that_nobody_says_is_a_missing_clip(place: Path) -> None:
    lines = "\n".join(f"sentence {number}" for number in "one two three four five six seven eight nine ten".split())
    found = said(prompts.with_texts(place, texts(place, lines), None))
    assert found[:3] == [
        ("voice_1", "sentence one", True),
        ("voice_2", "sentence two", True),
        ("voice_10", "sentence ten", True),
    ]
    assert found[3:] == [
        (str(n), f"sentence {w}", False) for n, w in enumerate("three four five six seven eight nine".split(), start=3)
    ]


def test_a_file_of_names_wins_over_the_folders_own_texts(place: Path) -> None:
    (place / "metadata.csv").write_text("voice_1|a\nvoice_2|b\nvoice_10|c\n")
    named = texts(place, "voice_1|first\nvoice_2|second\nvoice_10|third\n")
    assert [item.prompt for item in prompts.with_texts(place, named, None)] == ["first", "second", "third"]
    assert sorted(item.prompt for item in prompts.with_texts(place, None, None)) == ["a", "b", "c"]


def test_texts_lie_beside_the_clips(place: Path) -> None:
    for number in (1, 2, 10):
        (place / f"voice_{number}.txt").write_text(f"text {number}")
    assert {item.prompt for item in prompts.with_texts(place, None, None)} == {"text 1", "text 2", "text 10"}


def test_held_out_texts_of_the_manifest_are_the_last_resort(small_manifest: Path, tmp_path: Path) -> None:
    document = manifest.load(small_manifest)
    document = replace(
        document, entries=tuple(replace(one, transcript=f"text of {one.id}") for one in document.entries)
    )
    entry = document.split(manifest.HELD_OUT)[0]
    soundfile.write(tmp_path / f"{entry.id}.wav", np.full(100, 0.1), 16_000)
    found = prompts.with_texts(tmp_path, None, document)
    assert found[0].prompt == entry.transcript and {item.id for item in found} == {
        one.id for one in document.split(manifest.HELD_OUT)
    }


@pytest.mark.parametrize(
    ("content", "cause", "named"),
    [
        (None, "transcript_missing", "voice_1, voice_2, voice_10"),
        ("voice_1|a\nvoice_2|b\nvoice_3|c", "transcript_missing", "voice_10"),
        ("voice_1|a\nvoice_2|b\nvoice_10|...", "text_empty", "voice_10"),
        ("", "transcript_invalid", "no text"),
        ("voice_1|a\nvoice_1|b", "transcript_invalid", "line 2: id 'voice_1' is already on line 1"),
    ],
)
def test_a_clip_without_a_text_is_named_before_anything_is_judged(
    place: Path, content: str | None, cause: str, named: str
) -> None:
    path = None if content is None else texts(place, content)
    with pytest.raises(DataError, match=named) as caught:
        prompts.with_texts(place, path, None)
    assert caught.value.cause == cause


def test_a_clip_that_the_table_forgets_is_named(place: Path) -> None:
    (place / "metadata.csv").write_text("voice_1|a\nvoice_2|b\n")
    with pytest.raises(DataError, match="voice_10"):
        prompts.with_texts(place, None, None)


def test_two_clips_of_one_sentence_are_refused(place: Path) -> None:
    soundfile.write(place / "other_02.wav", np.full(100, 0.1), 16_000)
    with pytest.raises(DataError, match="two clips say text 2"):
        prompts.with_texts(place, texts(place, "\n".join("abcdefghij")), None)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.touch()])
def test_a_folder_without_clips_is_refused(make, tmp_path: Path) -> None:
    make(tmp_path / "clips")
    with pytest.raises(DataError) as caught:
        prompts.without_texts(tmp_path / "clips")
    assert caught.value.cause == "audio_missing"


def test_two_files_of_one_name_are_refused(place: Path) -> None:
    soundfile.write(place / "voice_2.flac", np.full(100, 0.1), 16_000)
    with pytest.raises(DataError, match="voice_2"):
        prompts.without_texts(place)


def test_numbers_are_spoken_out_and_the_normaliser_is_pinned() -> None:
    assert normaliser.spoken_words("It is 10 km.") == ("it", "is", "ten", "kilometers")
    assert normaliser.sha256() == normaliser.sha256() and len(normaliser.sha256()) == 64


def test_the_normalisers_hash_follows_its_sources_but_not_their_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []
    for content in (b"one\ntwo\n", b"one\r\ntwo\r\n", b"one\ntwo \n"):
        (tmp_path / "__init__.py").write_bytes(content)
        monkeypatch.setattr(normaliser.trainer.text, "__file__", str(tmp_path / "__init__.py"))
        normaliser.sha256.cache_clear()
        hashes.append(normaliser.sha256())
    normaliser.sha256.cache_clear()
    assert hashes[0] == hashes[1] != hashes[2]


def test_with_a_table_its_clips_are_meant_and_not_a_recording_beside_it(place: Path) -> None:
    (place / "clips").mkdir()
    for number in (1, 2):
        (place / f"voice_{number}.wav").rename(place / "clips" / f"voice_{number}.wav")
    (place / "metadata.csv").write_text("voice_1|one\nvoice_2|two\n", encoding="utf-8")
    assert [item.id for item in prompts.without_texts(place)] == ["voice_1", "voice_2"]
    assert [item.id for item in prompts.with_texts(place, None, None)] == ["voice_1", "voice_2"]


FORMS = {
    "ljspeech": "{id}|{text}|{text}", "suffix": "{id}.wav|{text}", "folder": "wavs/{id}.wav|{text}", "blanks": "{id} | {text}",
    "tabs": "{id}\t{text}",
    "comma": '{id},"{text}"', "semicolon": "{id};{text}", "speaker": "{id}|bob|{text}", "duration": "{id}|{text}|3.1",
}  # fmt: skip


@pytest.mark.parametrize("header", ["", "\n", "\ufeff"])
@pytest.mark.parametrize("form", FORMS)
def test_a_table_of_texts_is_read_as_a_table_of_clips_is(place: Path, form: str, header: str) -> None:
    meant = {
        "voice_1": "The first line, here.",
        "voice_2": "Here comes the second, now.",
        "voice_10": "The tenth, at last.",
    }
    table = texts(
        place, header + "".join(FORMS[form].format(id=name, text=text) + "\n" for name, text in meant.items())
    )
    assert {item.id: item.prompt for item in prompts.with_texts(place, table, None)} == meant


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("voice_1|a\nvoice_2: b\nvoice_10|c", "line 2: 1 columns instead of id|text"),
        ("One.\nTwo | and a bar.\nThree.", "line 1: 1 columns"),
        ("voice_1|One | two.\nvoice_2|Two.\nvoice_10|Ten.", "line 1: 3 columns where most lines have 2"),
        ("voice_1|bob\nvoice_2|bob\nvoice_10|bob", "is not the text of each clip"),
    ],
)
def test_a_half_table_of_texts_is_refused_by_line(place: Path, content: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        prompts.with_texts(place, texts(place, content), None)
    assert words in str(caught.value) and caught.value.cause == "transcript_invalid"


@pytest.mark.parametrize("own", [True, False])
def test_a_column_that_is_not_read_as_text_is_told(place: Path, own: bool) -> None:
    table = place / ("metadata.csv" if own else "texts.txt")
    table.write_text("voice_1|Say one.|and\nvoice_2|Say two.|and\nvoice_10|Say ten.|and\n")
    notes: list[str] = []
    assert {item.prompt for item in prompts.with_texts(place, None if own else table, None, notes.append)} == {
        "Say one.",
        "Say two.",
        "Say ten.",
    }
    assert notes == [f"{table.name}: column 3 is not read as text (and); if it is a part of the text, write id|text"]
