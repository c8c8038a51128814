"""Preparation and manifests find the same clips with the same texts in a folder, however it is laid out."""

from __future__ import annotations

import csv
import io
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceptance import manifests
from acceptance.failure import HarnessError
from tests.acceptance.manifests.clips import tone
from trainer.errors import DataError
from trainer.preparation import prepare, transcripts

SAID = {"a1": "One red car.", "a2": "Two blue cars, at last.", "a3": "Three green cars stop."}


def found(folder: Path) -> dict[str, str]:
    """Text by id, as preparation and manifests agree."""
    parts = prepare._clip_source(folder).parts
    items = manifests.snapshot(folder).items
    assert [(part.id, part.text, part.text_source) for part in parts] == [
        (item.id, item.transcript, item.transcript_source) for item in items
    ]
    root = folder if folder.name != "metadata.csv" else folder.parent
    assert [str(part.audio.path) for part in parts] == [str(root / item.path) for item in items]
    dataset = manifests.create(folder, folder.with_name("m.json") if folder.is_dir() else None)
    assert manifests.verify(dataset, root) == ()
    return {part.id: part.text for part in parts}


def clips(root: Path, name: str = "wavs/{}.wav", ids: Sequence[str] = tuple(SAID)) -> Path:
    for seed, each in enumerate(ids):
        tone(root / "first.wav", seed)
        path = root / name.format(each)
        path.parent.mkdir(parents=True, exist_ok=True)
        (root / "first.wav").rename(path)
    return root


def table(root: Path, form: str, ids: Sequence[str] = tuple(SAID)) -> Path:
    lines = [form.format(id=name, text=text, root=root) for name, text in zip(ids, SAID.values(), strict=True)]
    (root / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def beside(root: Path, name: str, prefix: str = "", ids: Sequence[str] = tuple(SAID)) -> Path:
    for each, text in zip(ids, SAID.values(), strict=True):
        (root / name.format(each)).write_bytes(f"{prefix}{text}\r\n".encode())
    return root


SRT = "1\n00:00:00,000 --> 00:00:01,000\n[music] One red car.\n\n2\n00:00:01,000 --> 00:00:02,000\n- And two.\n"


@pytest.mark.parametrize("texts", [
    {}, {"me.srt": SRT}, {"me.txt": SRT}, {"me.flac.vtt": SRT.replace("1\n", "WEBVTT\n\n1\n", 1)}, {"me.txt": "One red car.\n", "me.srt": SRT},
    {"me.txt": "One red car.", "me.docx": "PK", "me.Pdf": "%PDF", "other.pdf": ""}, {"me.eaf": ""},
    {"me.lab": "# One\n\nOne red car [laughs]."},
])  # fmt: skip
def test_the_text_of_a_recording_is_the_one_that_preparation_reads(tmp_path: Path, texts: dict[str, str]) -> None:
    tone(tmp_path / "me.flac", 1)
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    said = prepare._recording_source(tmp_path / "me.flac", prepare.PrepareSettings())
    dataset = manifests.create(tmp_path / "me.flac")
    assert [item.transcript for item in dataset.items] == [" ".join(said.text.split())]
    assert sorted(dataset.notes) == sorted(said.notes)
    assert manifests.verify(dataset, tmp_path) == ()


def test_a_document_that_is_called_like_the_recording_is_named_as_not_read(tmp_path: Path) -> None:
    for name in ("me.docx", "me.Pdf", "me.eaf", "me.srt", "other.pdf"):
        (tmp_path / name).touch()
    assert transcripts.unread(tmp_path / "me.flac") == [
        "not read: me.Pdf, me.docx, me.eaf; save what is said as me.txt"
    ]


@pytest.mark.parametrize("name", ["me.json", "ME.SRT", "me.flac.json"])
def test_no_manifest_takes_the_place_of_a_recordings_text(tmp_path: Path, name: str) -> None:
    tone(tmp_path / "me.flac", 1)
    with pytest.raises(HarnessError, match="would replace a part of a dataset"):
        manifests.create(tmp_path / "me.flac", tmp_path / name)


def test_a_text_of_a_recording_that_preparation_refuses_is_no_manifests_either(tmp_path: Path) -> None:
    tone(tmp_path / "me.flac", 1)
    (tmp_path / "me.txt").write_bytes(b"{\\rtf1 hello}")
    with pytest.raises(DataError, match="Rich Text"):
        manifests.create(tmp_path / "me.flac")


ACCENTS = [f"été_{name}" for name in SAID]
NESTED = [f"LJ/{name}" for name in SAID]
DECOMPOSED = [unicodedata.normalize("NFD", name) for name in ACCENTS]
LAYOUTS: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    **{f"clips in {place}": (lambda r, place=place: table(clips(r, place + "/{}.wav"), "{id}|{text}"), [*SAID])
       for place in ("clips", "wavs", "wav", "audio", ".")},
    **{f"rows say {form}": (lambda r, form=form: table(clips(r), form + "|{text}"), [*SAID])
       for form in ("{id}.wav", "{id}.WAV", "wavs/{id}.wav", "./wavs/{id}.wav", "wavs/{id}", "wavs\\{id}.wav", "{root}/wavs/{id}.wav",
                    "voice/wavs/{id}.wav", "/elsewhere/voice/wavs/{id}.wav", "C:\\data\\voice\\wavs\\{id}.wav")},
    "the file is .WAV": (lambda r: table(clips(r, "wavs/{}.WAV"), "{id}|{text}"), [*SAID]),
    "the file is .Wav and the row says .wav": (lambda r: table(clips(r, "wavs/{}.Wav"), "{id}.wav|{text}"), [*SAID]),
    "the row has capitals": (lambda r: table(clips(r, "wavs/{}.wav"), "{id}|{text}", [name.upper() for name in SAID]), [*SAID]),
    "sub-folders": (lambda r: table(clips(r, "wavs/LJ/{}.wav"), "LJ/{id}|{text}"), NESTED),
    "a folder in capitals": (lambda r: table(clips(r, "WAVS/{}.wav"), "wavs/{id}.wav|{text}"), [*SAID]),
    "a sub-folder in capitals": (lambda r: table(clips(r, "Wavs/Lj/{}.wav"), "wavs/LJ/{id}.wav|{text}"), [f"Lj/{name}" for name in SAID]),
    "decomposed sub-folders": (lambda r: table(clips(r, DECOMPOSED[0] + "/{}.wav"), ACCENTS[0] + "/{id}|{text}"),
                               [f"{ACCENTS[0]}/{name}" for name in SAID]),
    "sub-folders with path": (lambda r: table(clips(r, "wavs/LJ/{}.wav"), "wavs/LJ/{id}.wav|{text}"), NESTED),
    "composed rows, decomposed files": (lambda r: table(clips(r, ids=DECOMPOSED), "{id}|{text}", ACCENTS), ACCENTS),
    "decomposed rows, composed files": (lambda r: table(clips(r, ids=ACCENTS), "{id}|{text}", DECOMPOSED), ACCENTS),
    "dots, blanks, emoji": (lambda r: table(clips(r, "wavs/my take.1 \U0001f600 ({}).wav"), "my take.1 \U0001f600 ({id})|{text}"),
                            [f"my take.1 \U0001f600 ({name})" for name in SAID]),
    **{f"texts beside: {suffix}": (lambda r, suffix=suffix: beside(clips(r, "{}.wav"), "{}" + suffix), [*SAID])
       for suffix in (".txt", ".TXT", ".lab", ".Lab", ".normalized.txt", ".original.txt", ".wav.txt", ".wav.lab")},
    "texts beside with a mark": (lambda r: beside(clips(r, "{}.wav"), "{}.txt", "\ufeff"), [*SAID]),
    "texts beside with sample numbers": (lambda r: beside(clips(r, "{}.wav"), "{}.TXT", "0 46797 "), [*SAID]),
    "texts in wavs": (lambda r: beside(clips(r), "wavs/{}.txt"), [*SAID]),
    "texts in sub-folders": (lambda r: beside(clips(r, "LJ/{}.wav"), "LJ/{}.txt"), NESTED),
    "raw and normalised texts": (lambda r: beside(beside(clips(r, "{}.wav"), "{}.normalized.txt"), "{}.original.txt", "Er, "), [*SAID]),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_clips_and_texts(tmp_path: Path, layout: str) -> None:
    make, ids = LAYOUTS[layout]
    assert found(make(tmp_path / "voice")) == dict(zip(ids, SAID.values(), strict=True))


def test_the_table_and_the_folder_of_its_clips_mean_the_same(tmp_path: Path) -> None:
    root = table(clips(tmp_path / "voice", "wav/{}.wav"), "{id}|{text}")
    assert (
        [part.id for part in prepare._clip_source(root / "wav").parts]
        == [item.id for item in manifests.snapshot(root / "wav").items]
        == [*SAID]
    )
    assert found(root / "metadata.csv") == SAID


def cut(root: Path, name: str, text: str) -> Path:
    (root / name).write_text(text, encoding="utf-8")
    return root


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "another suffix": (lambda r: table(clips(r, "wavs/{}.flac"), "{id}.wav|{text}"),
                       "line 1: no audio file for id 'a1.wav' in clips, wavs, wav, audio, . "
                       "(if this line is a header, call its columns id|text); wavs/a1.flac is there"),
    "another folder": (lambda r: table(clips(r, "deep/{}.wav"), "{id}|{text}"), "deep/a1.wav is there: write its path"),
    "no clip like it": (lambda r: table(clips(r, "wavs/x{}.wav"), "{id}|{text}"), "there are wavs/xa1.wav, wavs/xa2.wav, wavs/xa3.wav"),
    "no clip": (lambda r: table(clips(r, "x/{}.zip"), "{id}|{text}"), "no audio file lies there"),
    "one id in two folders": (lambda r: table(clips(clips(r), "clips/{}.wav"), "{id}|{text}"),
                              "'a1' may be clips/a1.wav or wavs/a1.wav; write the path of one"),
    "one id in two formats": (lambda r: table(clips(clips(r), "wavs/{}.flac"), "{id}|{text}"), "'a1' may be wavs/a1.flac or wavs/a1.wav"),
    "one clip under two names": (lambda r: table(clips(r), "{id}|{text}\nwavs/{id}.wav|{text} Again"), "is already on line 1"),
    "a path that climbs": (lambda r: table(clips(r / "in").parent, "../voice/in/wavs/{id}.wav|{text}"), "leads out of the folder by '..'"),
    "an absolute path elsewhere": (lambda r: table(clips(r), "/etc/{id}.wav|{text}"), "is not in the folder of the table"),
    "a clip that is a link": (lambda r: (clips(r / "x", "{}.wav"), (r / "a1.wav").symlink_to("x/a1.wav")),
                            "a1.wav: is a symbolic link, which is not followed"),
    "a folder that is a link": (lambda r: (clips(r / "x"), (r / "wavs").symlink_to("x/wavs"), table(r, "{id}|{text}")), "symbolic link"),
    "two texts that differ": (lambda r: cut(beside(clips(r, "{}.wav"), "{}.txt"), "a2.lab", "Something else was said."),
                              "a2.lab: says something else than a2.txt"),
    "labels with times": (lambda r: cut(clips(r, "{}.wav"), "a1.lab", "0 100 pau\n100 200 hh\n"), "a1.lab: labels with times, not a text"),
    "subtitles": (lambda r: cut(clips(r, "{}.wav"), "a1.txt", "[00:00.000 --> 00:03.000] One red car."), "a1.txt: labels with times, not a text"),
    "an empty text": (lambda r: cut(clips(r, "{}.wav"), "a1.TXT", " \n"), "a1.TXT: the transcript is empty"),
    "one id in two sub-folders of clips": (lambda r: clips(clips(r), "clips/{}.wav"), "has the same id as 'clips/a1.wav'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_both_refuse_with_the_same_words(tmp_path: Path, case: str) -> None:
    make, words = REFUSED[case]
    make(tmp_path / "voice")
    said = []
    for read in (prepare._clip_source, manifests.create):
        with pytest.raises(DataError) as caught:
            read(tmp_path / "voice")
        said.append((str(caught.value), caught.value.cause))
    assert words in said[0][0] and said[0] == said[1]


def test_texts_that_no_clip_is_called_by_are_named(tmp_path: Path) -> None:
    root = beside(clips(tmp_path / "voice", "{}.wav"), "{}.txt")
    for name in ("metadata.txt", "list.tsv", "a2.srt", "clip_manifest.json", "notes.md"):
        cut(root, name, "a1|One.")
    notes = prepare._clip_source(root).notes
    assert notes == manifests.snapshot(root).notes
    assert notes == (
        "not read: a2.srt, list.tsv, metadata.txt; call a table metadata.csv, and the text of x.wav x.txt",
    )


def test_a_column_that_is_no_text_is_named(tmp_path: Path) -> None:
    root = table(clips(tmp_path / "voice"), "{id}|{text} | and")
    notes = prepare._clip_source(root).notes
    assert notes == manifests.snapshot(root).notes
    assert notes == ("metadata.csv: column 3 is not read as text (and); if it is a part of the text, write id|text",)


def test_what_a_preparation_wrote_below_is_not_taken_for_clips(tmp_path: Path) -> None:
    root = clips(tmp_path / "voice", "{}.wav")
    clips(root / "out" / "utterances-1", "utt_{}.flac")
    (root / "out" / "voice_dataset_manifest.json").write_text("{}")
    assert found(root) == dict.fromkeys(SAID, "")


# --- any dataset in any layout ---

NAMES = st.text("abcxyz019_-.' #%éü(", min_size=1, max_size=8).map(
    lambda name: unicodedata.normalize("NFC", f"c{name}z")
)
WORDS = st.text("abcdefghinorstuzéß'", min_size=2, max_size=7).filter(lambda word: word[0] != "'")
TEXTS = st.lists(WORDS, min_size=3, max_size=6).map(lambda words: " ".join(words).capitalize() + ".")
DATASETS = st.dictionaries(NAMES, TEXTS, min_size=2, max_size=5).filter(
    lambda made: (
        len({name.casefold() for name in made}) == len(made) == len({text.casefold() for text in made.values()})
    )
)


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a table is written."""

    place: str
    named: str
    separator: str
    columns: tuple[str, ...]
    header: bool
    end: str
    encoding: str
    blank: bool
    decomposed: bool
    suffix: str = field(default=".wav")

    def write(self, root: Path, said: dict[str, str]) -> None:
        """The clips and their table."""
        rows = [["audio_file", *self.columns]] if self.header else []
        for index, (name, text) in enumerate(said.items()):
            on_disk = unicodedata.normalize("NFD", name) if self.decomposed else name
            path = root / self.place / (on_disk + self.suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(SOUND)
            values = {
                "text": text,
                "normalized_text": text.lower(),
                "speaker": "narrator",
                "language": "en",
                "empty": "",
            }
            values["duration"] = f"{index}.{index + 3}"
            rows.append(
                [self.named.format(id=name, place=self.place, root=root), *(values[column] for column in self.columns)]
            )
        if self.separator == "|":
            lines = ["|".join(row) for row in rows]
        else:
            out = io.StringIO()
            csv.writer(out, delimiter=self.separator, lineterminator="\n").writerows(rows)
            lines = out.getvalue().splitlines()
        if self.blank:
            lines = ["", *lines, "  "]
        (root / "metadata.csv").write_bytes(self.end.join([*lines, ""]).encode(self.encoding))


STYLES = st.builds(
    Style,
    place=st.sampled_from(["clips", "wavs", "wav", "audio", ".", "wavs/book"]),
    named=st.sampled_from(["{place}/{id}.wav", "{place}/{id}", "./{place}/{id}.wav", "{root}/{place}/{id}.wav"]),
    separator=st.sampled_from("|\t,;"),
    columns=st.sampled_from([
        ("text",), ("empty", "text"), ("text", "empty"), ("speaker", "text"), ("text", "speaker"), ("text", "duration"),
        ("speaker", "language", "text"), ("text", "normalized_text"), ("text", "speaker", "duration"),
    ]),
    header=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    blank=st.booleans(),
    decomposed=st.booleans(),
    suffix=st.sampled_from([".wav", ".WAV", ".Wav"]),
)  # fmt: skip
with tempfile.TemporaryDirectory() as _place:
    SOUND = tone(Path(_place) / "a.wav", 0).read_bytes()


@settings(max_examples=80, deadline=None)
@given(said=DATASETS, style=STYLES)
def test_any_dataset_in_any_table_is_read_back(said: dict[str, str], style: Style) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "voice"
        style.write(root, said)
        below = "book/" if style.place == "wavs/book" else ""
        wanted = {
            below + name: text.lower() if "normalized_text" in style.columns else text for name, text in said.items()
        }
        assert found(root) == wanted


@settings(max_examples=30, deadline=None)
@given(
    said=DATASETS,
    folder=st.sampled_from([".", "wavs", "x/y"]),
    suffix=st.sampled_from([".txt", ".TXT", ".lab", ".normalized.txt", ".wav.txt"]),
)
def test_any_dataset_with_texts_beside_its_clips_is_read_back(said: dict[str, str], folder: str, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "voice"
        (root / folder).mkdir(parents=True)
        for name, text in said.items():
            (root / folder / f"{name}.wav").write_bytes(SOUND)
            (root / folder / (name + suffix)).write_text(text, encoding="utf-8")
        assert found(root) == {("x/y/" if folder == "x/y" else "") + name: text for name, text in said.items()}
