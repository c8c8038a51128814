"""`voice say` as a person types it, and what they read when it cannot."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acceptance.cli.main import run as voice_program
from tests.trainer.synthesis import untrained_voice
from trainer.evaluation import prompts
from trainer.synthesis import Delivery

ROOT = Path(__file__).parents[3]


@pytest.fixture
def say(voice_file, capfd):
    """Run `say` here; gives (exit code, standard output, standard error)."""

    def run(*typed: object, checkpoint: object = voice_file) -> tuple[int, str, str]:
        code = voice_program(["say", *map(str, typed), "--checkpoint", str(checkpoint)])
        return code, *capfd.readouterr()

    return run


def started(*typed: object, stdin: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "acceptance.cli", "say", *map(str, typed)],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_a_text_becomes_a_file(say, voice, tmp_path):
    code, output, errors = say("Hello there.", "-o", tmp_path / "a.wav", "--seed", 4, "--rate", 1.2)
    assert (code, errors) == (0, "")
    assert "seconds" in output
    expected = voice.say("Hello there.", Delivery(seed=4, rate=1.2)).save(tmp_path / "b.wav")
    assert (tmp_path / "a.wav").read_bytes() == expected.read_bytes()


def test_a_file_becomes_flac_at_another_rate(say, tmp_path):
    (tmp_path / "text.txt").write_text("\ufeffOne.\n\nTwo.\n", "utf-8")
    code, _, errors = say("--file", tmp_path / "text.txt", "-o", tmp_path / "a.flac", "--sample-rate", 24_000)
    assert (code, errors) == (0, "")
    assert soundfile.info(tmp_path / "a.flac").samplerate == 24_000


@pytest.mark.long
def test_standard_input_goes_to_standard_output_as_a_wav_stream(voice_file, voice):
    done = started("--checkpoint", voice_file, "-o", "-", stdin=b"Hello. \xf0\x9f\x99\x82 Goodbye.")
    assert done.returncode == 0
    assert b"warning: left out what cannot be spoken: SLIGHTLY SMILING FACE" in done.stderr
    found, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    assert rate == 24_000
    assert np.abs(found - voice.say("Hello. \U0001f642 Goodbye.").wave).max() < 1e-4


@pytest.mark.long
def test_a_reader_that_leaves_ends_the_command_quietly(voice_file):
    writer = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "acceptance.cli",
            "say",
            "Hello my friend, hello. " * 200,
            "--checkpoint",
            voice_file,
            "-o",
            "-",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout.read(44).startswith(b"RIFF")
    writer.stdout.close()
    errors = writer.stderr.read()
    assert writer.wait(60) == 2
    assert errors == b""
    writer.stderr.close()


def test_raw_samples_have_no_header(say, voice_file, tmp_path, monkeypatch):
    with (tmp_path / "raw").open("wb") as stream:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, write_through=True))
        code, _, _ = say("Hello.", "-o", "-", "--format", "raw")
    assert code == 0
    assert (tmp_path / "raw").read_bytes()[:4] != b"RIFF"


def test_every_line_goes_to_a_file_with_its_number(say, tmp_path):
    (tmp_path / "text.txt").write_text("first\n\n\U0001f642\nfourth line\n", "utf-8")
    code, output, errors = say("--file", tmp_path / "text.txt", "--lines", "--output-dir", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0001.wav", "0004.wav", "spoken.json"]
    assert code == 2
    assert "line 3" in errors
    assert "2 in" in output


def test_lines_sound_alone_as_they_sound_in_the_file(say, voice, tmp_path):
    say("one\ntwo", "--lines", "--output-dir", tmp_path, "--format", "flac")
    expected = voice.say("two").save(tmp_path / "alone.flac")
    assert (tmp_path / "0002.flac").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize(
    ("typed", "cause"),
    [
        (["", "-o", "a.wav"], "text_empty"),
        (["  \n ", "-o", "a.wav"], "text_empty"),
        (["\U0001f642", "-o", "a.wav"], "text_empty"),
        (["Hi.", "-o", "a.mp3"], "output_format"),
        (["Hi.", "-o", "there.wav"], "output_exists"),
        (["Hi.", "-o", "there.wav/a.wav"], "output_not_writable"),
        (["--file", "none.txt", "-o", "a.wav"], "text_missing"),
        (["--file", ".", "-o", "a.wav"], "text_missing"),
        (["--file", "latin.txt", "-o", "a.wav"], "text_not_utf8"),
        (["Hi.", "-o", "a.wav", "--rate", "9"], "settings_invalid"),
        (["Hi.", "-o", "a.wav", "--seed", "-1"], "settings_invalid"),
    ],
)
def test_a_refusal_is_one_line_and_leaves_nothing(say, tmp_path, monkeypatch, typed, cause):
    monkeypatch.chdir(tmp_path)
    Path("there.wav").write_bytes(b"theirs")
    Path("latin.txt").write_bytes("Straße".encode("latin-1"))
    code, output, errors = say(*typed)
    assert code == 2
    assert errors.startswith("error: ")
    assert errors.rstrip().endswith(f"[{cause}]")
    assert errors.count("\n") == 1
    assert output == ""
    assert sorted(os.listdir()) == ["latin.txt", "there.wav"]


@pytest.mark.parametrize(("name", "cause"), [("there.wav/a.wav", "output_not_writable"), ("a.mp3", "output_format")])
def test_a_place_that_takes_no_audio_is_told_before_the_voice_is_read(say, tmp_path, name, cause):
    for file in ("there.wav", "no_voice.pt"):
        (tmp_path / file).write_bytes(b"theirs")
    code, _, errors = say("Hi.", "-o", tmp_path / name, checkpoint=tmp_path / "no_voice.pt")
    assert code == 2
    assert f"[{cause}]" in errors


def test_an_existing_file_is_replaced_when_asked(say, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"before")
    assert say("Hi.", "-o", tmp_path / "a.wav", "--overwrite")[0] == 0
    assert soundfile.info(tmp_path / "a.wav").frames > 0


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint"])
def test_what_is_no_voice_is_refused_with_its_name(say, tmp_path, content):
    path = tmp_path / "voice.pt"
    if content is not None:
        path.write_bytes(content)
    code, _, errors = say("Hi.", "-o", tmp_path / "a.wav", checkpoint=path)
    assert code == 2
    assert str(path) in errors
    assert "; give the checkpoint of a trained voice" in errors
    assert not (tmp_path / "a.wav").exists()


def test_a_folder_without_onnx_files_is_refused(say, tmp_path):
    code, _, errors = say("Hi.", "-o", tmp_path / "a.wav", checkpoint=tmp_path)
    assert code == 2
    assert "times.onnx" in errors
    assert "voice export onnx VOICE --output DIR" in errors


def test_a_module_that_cannot_be_imported_is_named(say, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trainer.synthesis.checkpoint_voice", None)
    code, _, errors = say("Hi.", "-o", tmp_path / "a.wav")
    assert code == 2
    assert "[missing_module]" in errors


def test_a_silent_voice_leaves_no_file(say, tmp_path):
    silent = untrained_voice.write(tmp_path / "voice.pt", level=-6.0)
    code, _, errors = say("Hi there.", "-o", tmp_path / "a.wav", checkpoint=silent)
    assert code == 2
    assert "[voice_unusable]" in errors
    assert not (tmp_path / "a.wav").exists()


def test_export_refuses_to_replace_files_it_was_not_asked_to(voice_file, tmp_path, capsys):
    (tmp_path / "decoder.onnx").write_bytes(b"theirs")
    assert voice_program(["export", "onnx", str(voice_file), "--output", str(tmp_path)]) == 2
    assert "[output_exists]" in capsys.readouterr().err


def test_lines_onto_files_that_exist_are_one_error_with_their_number(say, tmp_path):
    lines = "\n".join(["One.", "Two.", "Three."])
    assert say(lines, "--lines", "--output-dir", tmp_path)[0] == 0
    code, output, errors = say(f"{lines}\nFour.", "--lines", "--output-dir", tmp_path)
    assert code == 2
    assert (
        errors
        == "error: the files of 3 lines exist, the first that of line 1; name another folder, or give --overwrite [output_exists]\n"
    )
    assert "1 in" in output
    assert (tmp_path / "0004.wav").exists()


LINES = "First line.\n\nThird, with\u2028a break.\n \nFifth\vline.\nSixth\x85line."


@pytest.mark.parametrize(
    "data",
    [
        LINES.encode(),
        ("\ufeff" + LINES).encode(),
        LINES.replace("\n", "\r\n").encode(),
        LINES.replace("\n", "\r").encode(),
        LINES.encode("utf-16"),
    ],
    ids=["lf", "bom", "crlf", "cr", "utf16"],
)
def test_every_spoken_line_is_judged_by_the_line_of_its_number(say, voice, tmp_path, data):
    (tmp_path / "text.txt").write_bytes(data)
    assert say("--file", tmp_path / "text.txt", "--lines", "--output-dir", tmp_path / "out")[0] == 0
    judged = prompts.with_texts(tmp_path / "out", tmp_path / "text.txt", None)
    lines = LINES.split("\n")
    assert [item.id for item in judged] == ["0001", "0003", "0005", "0006"]
    for item in judged:
        assert item.prompt.split() == lines[int(item.id) - 1].split()
        assert item.path.read_bytes() == voice.say(item.prompt).save(tmp_path / "alone.wav").read_bytes()


@pytest.mark.parametrize("table", ["a|One.\nb|Two.\n", "One.\nTwo | three.\n", "id,text\na,One.\n"])
def test_a_table_is_not_spoken_line_by_line(say, tmp_path, table):
    (tmp_path / "text.txt").write_text(table)
    code, _, errors = say("--file", tmp_path / "text.txt", "--lines", "--output-dir", tmp_path / "out")
    assert code == 2 and "text.txt: a table, or sentences with bars; give one sentence a line" in errors
    assert not (tmp_path / "out").exists()


def test_a_text_in_utf_16_is_spoken_as_in_utf_8(say, tmp_path):
    for name, encoding in (("a", "utf-8"), ("b", "utf-16")):
        (tmp_path / f"{name}.txt").write_text("One, two.\n", encoding)
        assert say("--file", tmp_path / f"{name}.txt", "-o", tmp_path / f"{name}.wav")[0] == 0
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
