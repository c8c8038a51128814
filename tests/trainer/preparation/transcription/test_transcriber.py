"""What is said in every utterance: a person's correction first, then what was given, then what is found or heard."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainer.dataset import manifest
from trainer.errors import DataError
from trainer.preparation.prepare import PrepareSettings, prepare
from trainer.preparation.transcription import recognise, transcriber
from trainer.preparation.transcription.transcriber import Transcriber, plain
from trainer.teachers import espeak

pytestmark = pytest.mark.long

LJ = Path(__file__).parents[5] / "shared" / "voices" / "lj"
SENTENCES = (
    "Nobody noticed the strange noise until the engine stopped.",
    "The museum will be closed for repairs until the spring.",
    "I forgot my umbrella so I got completely wet.",
    "He has worked for the same company for thirty years.",
    "The price of oil rose sharply after the announcement.",
    "We usually buy fresh fish and vegetables at the market.",
    "She opened the window because the room was far too warm.",
    "There is nothing better than a hot shower after a hard day.",
    "The government has promised to lower taxes for small businesses.",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of nine sentences with their table."""
    root = tmp_path_factory.mktemp("said")
    (root / "clips").mkdir()
    for index, (wave, rate) in enumerate(
        espeak.speak_all([espeak.SpeechRequest(text=text) for text in SENTENCES]), start=1
    ):
        soundfile.write(root / "clips" / f"c{index}.flac", wave, rate)
    (root / "metadata.csv").write_text("".join(f"c{index}|{text}\n" for index, text in enumerate(SENTENCES, start=1)))
    return root


@pytest.fixture
def table(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "source") / "metadata.csv"


def transcripts(
    source: Path, output: Path, settings: PrepareSettings | None = None
) -> dict[str, tuple[str, str, float]]:
    made = prepare(source, output / "manifest.json", settings, workspace=source.parent, transcribe=True)
    assert manifest.load(output / "manifest.json") == made
    return {
        entry.id: (entry.transcript, entry.transcript_source, entry.transcript_confidence) for entry in made.entries
    }


def test_what_the_table_gives_is_taken_without_listening(table, tmp_path, monkeypatch):
    monkeypatch.setattr(
        recognise, "recognise", lambda waves, **options: [] if not waves else pytest.fail("nothing is to be recognised")
    )
    found = transcripts(table, tmp_path)
    assert found["c3"] == (SENTENCES[2], "metadata", 1.0)
    assert len(found) == len(SENTENCES)
    assert (tmp_path / "transcripts.csv").read_text().splitlines()[0] == f"c1|{SENTENCES[0]}|metadata|1.0"


def test_a_correction_goes_before_the_table_and_an_empty_one_drops_the_utterance(table, tmp_path):
    table.with_name("metadata.corrections.csv").write_text("c2|The museum is closed.\nc4|\n")
    found = transcripts(table, tmp_path)
    assert found["c2"] == ("The museum is closed.", "corrected", 1.0)
    assert "c4" not in found
    dropped = json.loads((tmp_path / "manifest.json").read_text())["dropped"]
    assert [drop["reason"] for drop in dropped] == ["transcript_mismatch"]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [("c2|New, text.\nc4|\n", "utf-16"), ("id|transcript\r\nc2|New, text.|x|1.0\r\nc4|\r\n", "utf-8-sig"), ("c2\tNew, text.\rc4\t\r", "utf-8"),
     ('c2,"New, text."\n\nc4,\n', "utf-8"), ("c2;New, text.\nc4;\n", "utf-8")],
)  # fmt: skip
def test_corrections_are_read_as_every_table_is(tmp_path, data, encoding):
    (tmp_path / "said.corrections.csv").write_bytes(data.encode(encoding))
    assert transcriber._corrections(tmp_path / "said.flac", {"c2", "c4", "c5"}) == {"c2": "New, text.", "c4": ""}


@pytest.mark.parametrize("line", ["c99|no such clip", "no bar", "c1|one\nc1|two"])
def test_a_correction_of_nothing_is_an_error_that_names_file_and_line(table, tmp_path, line):
    table.with_name("metadata.corrections.csv").write_text(line + "\n")
    with pytest.raises(DataError, match=r"metadata\.corrections\.csv, line [12]") as caught:
        transcripts(table, tmp_path)
    assert caught.value.cause == "transcript_invalid"


def test_what_is_not_given_is_recognised_once_and_remembered(folder, tmp_path, monkeypatch):
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("c1", "c6", "c7"):
        shutil.copy(folder / "clips" / f"{name}.flac", clips)
    first = transcripts(clips, tmp_path / "out", PrepareSettings(min_usable_s=2.0))
    assert first
    assert all(source == "recognised" and 0.1 <= confidence <= 1 for _, source, confidence in first.values())
    monkeypatch.setattr(
        recognise, "recognise", lambda waves, **options: [] if not waves else pytest.fail("it was recognised before")
    )
    assert transcripts(clips, tmp_path / "out", PrepareSettings(min_usable_s=2.0)) == first


@pytest.mark.skipif(not LJ.is_dir(), reason=f"the development recordings are not at {LJ}")
def test_a_corrected_text_of_the_whole_is_matched_to_what_was_heard_before(tmp_path, monkeypatch):
    recording = tmp_path / "said.flac"
    wave, rate = soundfile.read(LJ / "lj_recording.flac", frames=30 * 22_050)
    soundfile.write(recording, wave, rate)
    text = " ".join(row.split("|")[-1] for row in (LJ / "metadata.csv").read_text("utf-8").splitlines()[:8])
    recording.with_suffix(".txt").write_text(text)
    first = transcripts(recording, tmp_path / "out")
    assert {source for _, source, _ in first.values()} == {"sidecar"}
    monkeypatch.setattr(recognise, "recognise", lambda waves, **options: pytest.fail("it was recognised before"))
    assert transcripts(recording, tmp_path / "out") == first
    recording.with_suffix(".txt").write_text(f"{text}\nThe end.\n")
    assert transcripts(recording, tmp_path / "out") == first


def test_a_text_in_another_language_is_refused_before_anything_is_recognised(folder, tmp_path, monkeypatch):
    wave, rate = soundfile.read(folder / "clips" / "c1.flac")
    soundfile.write(tmp_path / "said.flac", np.concatenate([np.pad(wave, rate // 2)] * 3), rate)
    (tmp_path / "said.txt").write_text(
        "Der schnelle braune Fuchs springt über den faulen Hund, und niemand weiß, warum er das eigentlich tut."
    )
    monkeypatch.setattr(recognise, "recognise", lambda waves, **options: pytest.fail("nothing is to be recognised"))
    with pytest.raises(DataError) as caught:
        transcripts(tmp_path / "said.flac", tmp_path / "out", PrepareSettings(min_usable_s=2.0))
    assert caught.value.cause == "transcript_invalid"


# --- the listing is copied into corrections ---


def listed(directory: Path, entries: dict[str, str]) -> list[str]:
    """Lines of the listing of entries with these texts."""
    quality = manifest.Quality(snr_db=30.0, clipping=0.0, loudness_lufs=-23.0)
    one = Transcriber(
        audio=directory / "said.flac",
        directory=directory,
        settings=PrepareSettings(),
        processes=1,
        report=lambda *args: None,
        note=print,
    )
    made = [
        manifest.Entry(
            id=name, path=f"{name}.flac", sha256="0" * 64, start_s=0.0, end_s=1.0, duration_s=1.0, sample_rate=22_050, transcript=said,
            transcript_sha256="", transcript_source="metadata", transcript_confidence=0.5, split="train", quality=quality,
        )
        for name, said in entries.items()
    ]  # fmt: skip
    kept, _ = one.transcribe(made, "")
    assert len(kept) == len(made)
    return (directory / "transcripts.csv").read_text("utf-8").split("\n")[:-1]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.text().map(lambda text: f"Two words {text}"), min_size=1, max_size=4), cut=st.booleans())
def test_lines_copied_from_the_listing_correct_nothing(tmp_path, said, cut):
    entries = {f"utt_{index:05d}": text for index, text in enumerate(said, start=1)}
    (tmp_path / "said.corrections.csv").unlink(missing_ok=True)
    lines = listed(tmp_path, entries)
    copied = ["|".join(line.split("|")[:2]) for line in lines] if cut else lines
    (tmp_path / "said.corrections.csv").write_text("\n".join(copied) + "\n", "utf-8", newline="")
    assert transcriber._corrections(tmp_path / "said.flac", set(entries)) == {
        name: plain(text) for name, text in entries.items()
    }
    assert all(
        plain(text) == text
        for text in said
        if text == " ".join(text.split()) and "|" not in text and text.isprintable()
    )


def test_quotes_and_backslashes_stand_in_the_listing_as_they_are(tmp_path):
    text = 'He said "hello", and \\ left.'
    assert listed(tmp_path, {"utt_00001": text}) == [f"utt_00001|{text}|metadata|0.5"]


def test_a_transcript_without_a_word_is_left_out_and_named(table, tmp_path):
    wordless = {"c2": "...", "c4": "\U0001f600", "c6": "\u4f60\u597d\u4e16\u754c"}
    table.write_text("".join(f"c{n}|{wordless.get(f'c{n}', text)}\n" for n, text in enumerate(SENTENCES, start=1)))
    notes = []
    settings = PrepareSettings(min_usable_s=2.0)
    made = prepare(table, tmp_path / "m.json", settings, workspace=tmp_path, transcribe=True, on_note=notes.append)
    assert {entry.id for entry in made.entries} == {"c1", "c3", "c5", "c7", "c8", "c9"}
    assert [drop.reason for drop in made.dropped] == ["no_words"] * 3
    assert [
        note for note in notes if "has no word that can be spoken; it is left out" in note and note[:2] in wordless
    ] == notes[-3:]
    assert manifest.load(tmp_path / "m.json") == made


def test_a_table_without_any_word_is_refused(table, tmp_path):
    table.write_text("".join(f"c{n}|{'.' * n}\n" for n in range(1, 10)))
    with pytest.raises(DataError, match="none of the 9 transcripts has a word") as caught:
        transcripts(table, tmp_path)
    assert caught.value.cause == "transcript_invalid"
