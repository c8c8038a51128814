"""From prepared readers to the decoder that is shipped: equal readers give equal bytes; what does not do is refused at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import soundfile
import torch
from click.testing import CliRunner

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from acceptance.cli.main import voice
from trainer.errors import DataError
from trainer.files import checkpoint
from trainer.preparation.prepare import PrepareSettings, prepare
from trainer.pretraining import readers
from trainer.teachers import espeak
from trainer.voice import natural_base, shipped_files

SAID = (
    "The kettle sang on the stove.",
    "Nobody had opened the old letter.",
    "She counted the boats twice.",
    "The morning train was late.",
)
SPEAKERS = {"bert": "en-us", "anna": "en-us+f3"}
LITTLE = PrepareSettings(min_usable_s=3.0, min_transcribed_s=1.0, min_heldout_utterances=1, min_heldout_s=1.0)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of two readers, some seconds each; not to be changed."""
    return [reader(tmp_path_factory.mktemp("readers") / name, voice) for name, voice in SPEAKERS.items()]


def reader(folder: Path, voice: str) -> Path:
    (folder / "clips").mkdir(parents=True)
    spoken = espeak.speak_all([espeak.SpeechRequest(text=text, voice=voice) for text in SAID])
    for index, (wave, rate) in enumerate(spoken):
        soundfile.write(folder / "clips" / f"{index}.flac", wave, rate)
    table = folder / "metadata.csv"
    table.write_text("".join(f"{index}|{text}\n" for index, text in enumerate(SAID)))
    prepare(table, folder / "manifest.json", LITTLE, workspace=folder, transcribe=True)
    return folder / "manifest.json"


@pytest.mark.training
def test_equal_readers_give_equal_bytes_whatever_their_order_and_from_the_command(
    manifests: list[Path], tmp_path: Path
) -> None:
    lines: list[str] = []
    found = readers.ship(manifests, tmp_path / "one", licence="CC BY 4.0", steps=2, log=lines.append)
    arguments = ["pretrain", "readers", *map(str, reversed(manifests)), "-o", str(tmp_path / "two"), "--steps", "2"]
    arguments += ["--licence", "CC BY 4.0"]
    ended = CliRunner().invoke(voice, [*arguments, "--json"])
    assert json.loads(ended.stdout) == {"schema": "shipped/1", "sha256": found}
    assert shipped_files.hashes(tmp_path / "two") == found and list(found) == [natural_base.SPEAKERS]
    assert [line.split(":")[0] for line in lines] == ["anna", "bert", "step 2 of 2"]
    assert ended.stderr.splitlines() == lines

    learnt, base = natural_base.load_speakers(tmp_path / "one"), natural_base.load()
    assert all(bool(one.any()) for one in learnt.maps.parameters())
    assert not torch.equal(learnt.decoder.output.weight, base.decoder.output.weight)
    document = checkpoint.read_container(tmp_path / "one" / natural_base.SPEAKERS)
    assert document["source"] == {"readers": ["anna", "bert"], "steps": 2, "seed": 1, "licence": "CC BY 4.0"}
    assert {value.dtype for value in document["model"].values()} == {torch.float16}


def test_a_reader_alone_or_none_is_too_little(tmp_path: Path) -> None:
    for given in ([], [tmp_path / "anna" / "manifest.json"]):
        with pytest.raises(DataError, match="prepare a recording of each of two or more") as caught:
            readers.ship(given, tmp_path / "out", licence="mine", steps=1, log=print)
        assert caught.value.cause == "too_little_speech"
    assert not (tmp_path / "out" / natural_base.SPEAKERS).exists()


def test_two_readers_of_one_name_are_refused(tmp_path: Path) -> None:
    given = [tmp_path / site / "anna" / "manifest.json" for site in ("here", "there")]
    with pytest.raises(DataError, match=r"same name \(anna\); put each manifest into a folder") as caught:
        readers.ship(given, tmp_path / "out", licence="mine", steps=1, log=print)
    assert caught.value.cause == "manifest_invalid"


def test_a_manifest_that_does_not_hold_is_refused_before_any_reader_is_read(
    manifests: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "zoe" / "manifest.json"
    broken.parent.mkdir()
    broken.write_bytes(manifests[0].read_bytes().replace(b'"characters"', b'"letters"'))
    lines: list[str] = []
    with pytest.raises(DataError, match=r"zoe/manifest\.json: .*prepare the recording again") as caught:
        readers.ship([*manifests, broken], tmp_path / "out", licence="mine", steps=1, log=lines.append)
    assert caught.value.cause == "manifest_invalid" and not lines


def test_a_reader_who_cannot_be_learnt_from_is_named(manifests: list[Path], tmp_path: Path) -> None:
    shutil.copytree(manifests[0].parent, tmp_path / "aaron")
    clip = next((tmp_path / "aaron").rglob("utterances*/*.flac"))
    clip.write_bytes(b"fLaC")
    with pytest.raises(DataError, match=r"^aaron: ") as caught:
        readers.ship(
            [*manifests, tmp_path / "aaron" / "manifest.json"], tmp_path / "out", licence="mine", steps=1, log=print
        )
    assert caught.value.cause == "manifest_invalid"
