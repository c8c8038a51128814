"""The text beside a recording in the shapes that recognisers, subtitle tools, people and books give: the words are what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import DataError
from trainer.evaluation.normaliser import spoken_words
from trainer.preparation import spoken_text, transcripts
from trainer.preparation.spoken_text.reading import parse

SENTENCES = (
    "The harbour was quiet that morning, and nobody spoke.",
    "Forty-two boats lay at the quay.",
    "She read the printed notice twice & smiled.",
)
PLAIN = " ".join(SENTENCES)
TIMES = [(0.0, 3.4), (3.9, 6.02), (3661.5, 3665.25)]


def clock(second: float, mark: str = ".", *, hours: bool = True) -> str:
    rest = f"{int(second % 3600 // 60):02d}:{int(second % 60):02d}{mark}{round(second % 1 * 1000):03d}"
    return f"{int(second // 3600):02d}:{rest}" if hours else rest


def cues(line: str, *, mark: str = ".", hours: bool = True, sentences: tuple[str, ...] = SENTENCES) -> str:
    rows = zip(range(1, 100), TIMES * 40, sentences, strict=False)
    return "".join(
        line.format(n=n, a=clock(a, mark, hours=hours), b=clock(b, mark, hours=hours), s=a, e=b, t=t)
        for n, (a, b), t in rows
    )


FORMATS = {
    "a Whisper transcript with times": cues("[{a} --> {b}]  {t}\n", hours=False),
    "a Whisper transcript with hours": cues("[{a} --> {b}]  {t}\n"),
    "SRT subtitles": cues("{n}\n{a} --> {b}\n{t}\n\n", mark=","),
    "SRT without numbers and blank lines": cues("{a} --> {b}\n{t}\n", mark=","),
    "SRT with tags": cues("{n}\n{a} --> {b}\n<i>{{\\an8}}{t}</i>\n\n", mark=","),
    "WebVTT subtitles": "WEBVTT - title\nKind: captions\n\nNOTE made by hand\n\nSTYLE\n::cue {{ color: red }}\n\n"
    + cues("{n}\n{a} --> {b} align:start position:0%\n<v Jo>{t}</v>\n\n"),
    "SBV subtitles": cues("0:{a},0:{b}\n{t}\n\n", hours=False).replace("0:0", "0:0"),
    "LRC lines": "[ar:Somebody]\n" + cues("[{a}]{t}\n", hours=False),
    "a table with start and end": "start\tend\ttext\n" + cues("{s}\t{e}\t{t}\n"),
    "Audacity labels": cues("{s:.6f}\t{e:.6f}\t{t}\n"),
    "a table with commas": "start,end,text\n" + cues('{s},{e},"{t}"\n'),
    "labels with blanks": cues("{s:.3f} {e:.3f} {t}\n"),
    "Whisper JSON": json.dumps({"text": PLAIN, "segments": [{"id": 1, "start": 0.0, "text": " " + text} for text in SENTENCES], "language": "en"}),
    "whisper.cpp JSON": json.dumps({"transcription": [{"timestamps": {"from": "00:00:00,000"}, "text": text} for text in SENTENCES]}),
    "Vosk JSON": json.dumps({"result": [{"conf": 1.0, "word": word} for word in PLAIN.split()], "text": PLAIN}),
    "a Praat TextGrid": 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nitem []:\n    item [1]:\n        name = "words"\n'
    + "".join(f'            text = "{text}"\n' for text in SENTENCES),
    "speakers": "".join(f"SPEAKER_0{number}: {text}\n" for number, text in enumerate(SENTENCES)),
    "speakers with times": "".join(f"Speaker 1 (0{number}:12):\n{text}\n\n" for number, text in enumerate(SENTENCES)),
    "times before the lines": "".join(f"[00:0{number}] {text}\n" for number, text in enumerate(SENTENCES)),
    "numbered lines": "".join(f"{number}. {text}\n" for number, text in enumerate(SENTENCES, start=1)),
    "ids and bars": "".join(f"clip_{number:04d}|{text}\n" for number, text in enumerate(SENTENCES)),
    "notes": f"[laughs] {SENTENCES[0]} (uh) {SENTENCES[1]} ♪ <unk> *coughs* {{noise}} {SENTENCES[2]} [inaudible 00:12:33]",
    "broken words": PLAIN.replace("harbour", "har-\nbour").replace("printed", "prin-\nted").replace("Forty-two", "Forty-\ntwo"),
    "soft hyphens": PLAIN.replace("harbour", "har\u00adbour"),
    "HTML": "<!DOCTYPE html><html><head><title>Not said</title><style>p {}</style></head><body>"
    + "".join(f'<p class="x">{text}</p>'.replace("&", "&amp;") for text in SENTENCES) + "</body></html>",
    "Markdown": f"---\ntitle: Not said\n---\n*{SENTENCES[0]}*\n\n**{SENTENCES[1]}**\n\n{SENTENCES[2]}\n\n---\n[1]: https://example.org\n",
    "one sentence a line": "\n".join(SENTENCES),
    "page numbers": f"{SENTENCES[0]}\n12\n{SENTENCES[1]}\n- 13 -\n{SENTENCES[2]}",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_the_words_of_a_format_are_what_is_said_and_nothing_else(name: str, tmp_path: Path) -> None:
    path = tmp_path / "voice.txt"
    path.write_text(FORMATS[name], encoding="utf-8")
    assert spoken_words(spoken_text.read(path).text) == spoken_words(PLAIN)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_encoding_that_the_file_announces_is_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "voice.srt").write_bytes(FORMATS["SRT subtitles"].encode(encoding))
    assert spoken_words(spoken_text.read(tmp_path / "voice.srt").text) == spoken_words(PLAIN)


def test_names_that_say_who_speaks_are_no_words_and_a_colon_in_prose_is_one() -> None:
    dialogue = "".join(
        f"{name}: {text}\n" for name, text in zip(["Ann", "Dr. Jo Lee"] * 2, [*SENTENCES, SENTENCES[0]], strict=True)
    )
    assert parse(Path("voice.txt"), dialogue).text.split() == f"{PLAIN} {SENTENCES[0]}".split()
    prose = "Remember: the harbour was quiet.\nWarning: nobody spoke.\nNote: it rained.\nThen: silence.\n"
    assert parse(Path("voice.txt"), prose).text == prose.strip()


def test_plain_text_stays_as_it_is_and_nothing_is_said_of_it(tmp_path: Path) -> None:
    text = f"{PLAIN} It was 5:30 then (a long sentence that is read aloud, as it stands). He said: wait - and [the king] left."
    (tmp_path / "voice.txt").write_text(text)
    found = spoken_text.read(tmp_path / "voice.txt")
    assert (found.text, found.format, found.notes) == (text, "plain text", ())


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("SRT subtitles", "SRT subtitles"), ("Audacity labels", "Audacity labels"), ("Vosk JSON", "a recogniser's JSON")],
)
def test_the_notes_say_as_what_a_text_was_read(name: str, format_name: str) -> None:
    found = parse(Path("voice.txt"), FORMATS[name])
    assert found.format == format_name
    assert found.notes[0].startswith(f"voice.txt is read as {format_name}: ")


def test_the_notes_count_what_was_left_out_with_an_example() -> None:
    notes = parse(Path("voice.txt"), FORMATS["notes"]).notes
    assert len(notes) == 1
    assert "left out: " in notes[0] and "7 notes (<unk>)" in notes[0]


REFUSED = {
    "Rich Text": (b"{\\rtf1\\ansi hello}", "a Rich Text document"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
    "Word": (b"PK\x03\x04\x14\x00word", "a Word, OpenDocument or EPUB document"),
    "old Word": (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Word document"),
    "ELAN": (b'<?xml version="1.0"?>\n<ANNOTATION_DOCUMENT AUTHOR="">', "an ELAN file"),
    "TTML": (b'<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml">', "a TTML subtitle file"),
    "ASS": (b"[Script Info]\nTitle: x\n", "an ASS/SSA subtitle file"),
    "other JSON": (b'{"name": "voice", "version": 3}', "JSON without segments that have a text"),
    "broken JSON": (b'{"segments": [{"text": "a"}', "JSON that does not end as it should"),
    "deep JSON": (b"[" * 100_000, "JSON that is nested too deeply"),
    "TextGrid with two tiers": (
        b'File type = "ooTextFile"\nitem [1]:\n name = "phones"\n text = "a"\nitem [2]:\n name = "tones"\n text = "b"\n', "phones, tones"),
    "nothing said": (b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n", "WebVTT subtitles without a word"),
    "empty": (b"\n \n", "the transcript is empty"),
    "Windows-1252": ("The \u201cso-called\u201d notice".encode("cp1252"), "perhaps Windows-1252"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_text_of_a_known_kind_is_refused_by_its_name_and_with_the_next_step(
    kind: str, tmp_path: Path
) -> None:
    data, named = REFUSED[kind]
    (tmp_path / "voice.txt").write_bytes(data)
    with pytest.raises(DataError) as caught:
        spoken_text.read(tmp_path / "voice.txt")
    assert caught.value.cause == "transcript_invalid"
    assert str(caught.value).startswith(str(tmp_path / "voice.txt")) and named in str(caught.value)
    assert any(word in str(caught.value) for word in ("save", "give", "export", "convert", "write", "keep"))


@pytest.mark.parametrize("name", ["voice.srt", "voice.VTT", "voice.flac.json", "voice.TextGrid", "voice.tsv"])
def test_subtitles_beside_a_recording_are_found(name: str, tmp_path: Path) -> None:
    (tmp_path / "voice.flac").write_bytes(b"")
    (tmp_path / name).write_text(FORMATS["SRT subtitles"])
    assert spoken_words(transcripts.sidecar(tmp_path / "voice.flac").text) == spoken_words(PLAIN)


def test_of_two_texts_beside_a_recording_the_plain_one_is_used_and_the_other_is_named(tmp_path: Path) -> None:
    (tmp_path / "voice.txt").write_text(PLAIN)
    (tmp_path / "voice.srt").write_text(FORMATS["SRT subtitles"])
    found = transcripts.sidecar(tmp_path / "voice.flac")
    assert (found.path.name, found.text) == ("voice.txt", PLAIN)
    assert found.notes == ("voice.txt is used; not read beside it: voice.srt",)


WORD = st.sampled_from("the harbour was quiet (and) nobody's spoke 12 42. note style she, x-ray: 3:15 region".split())
LINES = st.lists(st.lists(WORD, min_size=2, max_size=6).map(" ".join), min_size=2, max_size=5)
TEMPLATES = {
    "whisper": ("", "[{a} --> {b}]  {t}\n"),
    "srt": ("", "{n}\n{a} --> {b}\n{t}\n\n"),
    "vtt": ("WEBVTT\n\n", "{a} --> {b}\n{t}\n\n"),
    "tsv": ("start\tend\ttext\n", "{s}\t{e}\t{t}\n"),
    "labels": ("", "{s:.6f}\t{e:.6f}\t{t}\n"),
}


@given(lines=LINES, template=st.sampled_from(sorted(TEMPLATES)))
def test_any_lines_written_in_any_format_are_read_back(lines: list[str], template: str) -> None:
    head, line = TEMPLATES[template]
    found = parse(Path("voice.txt"), head + cues(line, sentences=tuple(lines)))
    assert found.text.split() == " ".join(lines).split()


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    causes = set()
    try:
        said = parse(Path("voice.txt"), text).text.strip()
    except DataError as error:
        said, causes = "", {error.cause}
    assert bool(said) != (causes == {"transcript_invalid"})
