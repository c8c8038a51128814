"""Groups of the benchmark, its table, its pictures and its command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acceptance.cli.main import run
from trainer.dataset import manifest
from trainer.errors import DataError
from trainer.evaluation import benchmark, clip_files, pictures, rating, report, rivals, tables
from trainer.evaluation.benchmark import Group
from trainer.evaluation.estimate import Estimate
from trainer.evaluation.rating import Clip, Row
from trainer.synthesis.sentences import SENTENCES
from trainer.teachers import espeak


def row(name: str = "voice", **changes: object) -> Row:
    found = Estimate(value=0.5, low=0.4, high=0.7)
    fields = dict.fromkeys(
        ("similarity", "word_errors", "phone_errors", "overall", "speech", "background", "p808"), found
    )
    return Row(**{"name": name, "clips": 2, "seconds": 3.0, "faults": (), **fields, **changes})


def test_voice_speaks_every_sentence_in_order(clips: list[Clip]) -> None:
    group = benchmark.spoken("espeak", lambda text: (clips[0].wave, 22_050), SENTENCES[:5])
    assert [clip.text for clip in group.clips] == list(SENTENCES[:5])
    assert [clip.name for clip in group.clips] == ["1", "2", "3", "4", "5"]


def test_pieces_have_one_length_and_no_words_and_remember_their_source(clips: list[Clip]) -> None:
    sources = [Clip(name=clip.name, wave=clip.wave, text=clip.text, source=clip.name) for clip in clips]
    group = benchmark.in_pieces("pieces", sources, 1.0)
    assert {len(clip.wave) for clip in group.clips} == {22_050} and group.mean_s == 1.0
    assert all(not clip.text and clip.name.startswith(f"{clip.source}/") for clip in group.clips)


def test_copy_is_of_the_same_words_and_not_compared_with_its_original(clips: list[Clip]) -> None:
    copy = benchmark.copied("copy", lambda wave, rate: (wave[:-1], rate), clips).clips[1]
    assert (copy.text, copy.source, len(copy.wave)) == (clips[1].text, "2", len(clips[1].wave) - 1)


def test_impostors_are_spread_over_the_folder_and_only_their_voice_is_judged(folder: Path) -> None:
    group = benchmark.impostors(folder, 0.5, most=2)
    assert [clip.name for clip in group.clips] == ["voice_01", "voice_02"]
    assert all(len(clip.wave) == 11_025 and not clip.opinion and not clip.text for clip in group.clips)


def test_two_voices_of_one_name_are_refused(clips: list[Clip]) -> None:
    with pytest.raises(DataError, match="one name"):
        benchmark.measure([Group(name="a", clips=clips[:1]), Group(name="a", clips=clips[1:])], {})


def test_texts_are_found_by_stem_or_by_number(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_text("voice_01|one and more\nvoice_03|three\n", encoding="utf-8")
    by_stem = clip_files.read_folder(folder, clip_files.read_texts(table))
    assert [(clip.name, clip.text) for clip in by_stem] == [("voice_01", "one and more"), ("voice_03", "three")]
    by_number = clip_files.read_folder(folder, clip_files.numbered())
    assert [clip.text for clip in by_number] == list(SENTENCES[:3])


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        clip_files.read_folder(tmp_path)
    assert caught.value.cause == "audio_missing"


def test_table_has_a_line_for_every_voice_and_a_dash_for_what_was_not_judged() -> None:
    text = tables.markdown([row("a"), row("b", word_errors=None)])
    lines = text.splitlines()
    assert len(lines) == 4 and len({len(line) for line in lines}) == 1
    assert "0.500 ±0.150" in lines[2] and " - |" in lines[3]


def test_every_row_of_the_document_names_what_judged_it() -> None:
    found = json.loads(tables.document([row("a"), row("b")], {"note": "x"}))
    assert found["note"] == "x" and [one["models"] for one in found["rows"]] == [rating.models()] * 2


def test_pictures_have_the_same_bytes_again(clips: list[Clip]) -> None:
    waves = {"real": (clips[0].wave, 22_050), "voice": (clips[1].wave, 16_000)}
    assert pictures.mels(waves) == pictures.mels(waves)
    rows = [row("a"), row("b", word_errors=None)]
    assert pictures.scores(rows) == pictures.scores(rows)


def test_rivals_speak(clips: list[Clip]) -> None:
    voices = rivals.installed()
    wave, rate = voices["espeak-ng"](SENTENCES[0])
    assert rate == 22_050 and (wave[: len(clips[0].wave)] == clips[0].wave).all()


def test_report_compares_voices_with_the_reference_and_writes_everything(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "LISTENING", SENTENCES[:1])
    plan = report.Plan(
        reference=[replace(clip, opinion=False) for clip in clips[:2]],
        speakers={"ours": lambda text: (espeak.speak(text, "en-us+f3")[0][:52_900], 22_050)},
        copies={"copy": lambda wave, rate: (wave * np.float32(0.9), rate)},
        with_rivals=False,
        sentences=SENTENCES[:1],
        facts={"checkpoint": "abc"},
    )
    rows = report.write(plan, tmp_path)
    names = [one.name for one in rows]
    assert names[0] == "real, held out" and names[1].endswith("s pieces") and names[2:] == ["copy", "ours"]
    assert rows[2].similarity.value > rows[3].similarity.value + 0.1
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["checkpoint"] == "abc" and set(found["reference"]) == {"1", "2"} and found["heard"]["ours"]["1"]
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {
        "scores.md", "scores.json", "scores.png", "mels_1.png", "mels_2.png",
        "clips/copy/1.flac", "clips/copy/2.flac", "clips/ours/1.flac", "clips/ours/listening_1.flac",
    }  # fmt: skip


def test_rate_prints_one_row_for_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (2, 3):
        (folder / f"voice_0{number}.wav").unlink()
    options = ["--reference", str(folder), "--processes", "1", "--clips-table", "--output", str(folder / "r.json")]
    assert run(["benchmark", "rate", str(folder), *options]) == 0
    printed = capsys.readouterr().out
    assert "heard:" in printed and printed.count("|") > 20
    assert json.loads((folder / "r.json").read_text())["rows"][0]["clips"] == 1


def test_a_folder_that_cannot_be_rated_is_one_line_and_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["benchmark", "rate", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "1.wav").write_bytes(b"not audio")
    assert run(["benchmark", "rate", str(tmp_path)]) == 2


def test_sentences_are_printed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["benchmark", "sentences"]) == 0
    assert tuple(capsys.readouterr().out.splitlines()) == SENTENCES


def test_a_stereo_file_becomes_its_mean(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "s.wav", np.tile([0.5, 0.25], (10, 1)), 16_000, subtype="FLOAT")
    wave, rate = clip_files.read_wave(tmp_path / "s.wav")
    assert rate == 16_000 and np.allclose(wave, 0.375)


def test_reference_is_the_held_out_side_of_a_manifest(small_manifest: Path) -> None:
    held_out = manifest.load(small_manifest).split(manifest.HELD_OUT)
    found = clip_files.read_held_out(small_manifest)
    assert [clip.name for clip in found] == [entry.id for entry in held_out]
    assert held_out and all(
        len(clip.wave) == round(entry.duration_s * clip.sample_rate)
        for clip, entry in zip(found, held_out, strict=True)
    )
    assert all(clip.source == clip.name for clip in found)
