"""A natural voice in ONNX: the same speech without torch, by this package and by the program that lies beside the files."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from trainer.errors import DataError, RuntimeSetupError, TrainingError
from trainer.files import checkpoint, hash_record
from trainer.files.checkpoint import CheckpointError
from trainer.files.plain_file import sha256
from trainer.models.natural import alphabet, speak
from trainer.synthesis import Delivery, export, load
from trainer.synthesis.export_natural import TOLERANCES
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.synthesis.onnx_natural import FORM, OnnxNaturalVoice
from trainer.voice import natural_base, natural_document
from trainer.voice.natural_speaker import NaturalSpeaker

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
TEXT = "Hello. Is this a longer sentence, with a comma in it?\n\nYes!"
SPEAKER = NaturalSpeaker(f0=0.8, liveliness=1.2, rate=1.1)
SPOKEN = "həlˈO ðˈɛɹ."


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("natural") / "voice.pt"
    checkpoint.save(path, natural_document.document(model=natural_base.load(), speaker=SPEAKER, training={}))
    return path


@pytest.fixture(scope="module")
def voice(file: Path) -> NaturalVoice:
    torch.set_num_threads(1)
    found = load(file)
    assert isinstance(found, NaturalVoice)
    return found


@pytest.fixture(scope="module")
def exported(file: Path) -> tuple[Path, dict[str, str]]:
    folder = file.parent / "onnx"
    return folder, export.export(file, folder)


def test_an_export_says_what_it_wrote_and_how_far_it_differs(exported: tuple[Path, dict[str, str]], file: Path) -> None:
    folder, found = exported
    beside = {"LICENSE.txt", "NOTICE.txt", "NOTICE_READERS.txt", "README.md", "SHA256SUMS", "speak.py"}
    assert {path.name for path in folder.iterdir()} == {*speak.PARTS, *beside} <= found.keys()
    assert all(name in found["largest_difference"] for name in TOLERANCES)
    for name in speak.PARTS:
        about = {entry.key: entry.value for entry in onnx.load(folder / name).metadata_props}
        assert about["checkpoint_sha256"] == sha256(file)
        assert json.loads(about["speaker"]) == asdict(SPEAKER)
        assert json.loads(about["symbols"]) == alphabet.ID
        assert about["sample_rate"] == "24000" and about["licence"] == "Apache-2.0"


def test_every_length_has_a_name(exported: tuple[Path, dict[str, str]]) -> None:
    model = onnx.load(exported[0] / "decoder.onnx")
    names = {value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
             for value in (*model.graph.input, *model.graph.output)}  # fmt: skip
    assert names["spectra"] == ["frames", 5 * speak.BINS] and names["symbols"] == ["symbols"]
    assert names["symbol_of_frame"] == names["f0"] == names["energy"] == ["frames"]
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [export.OPSET]


@pytest.mark.parametrize("part", TOLERANCES)
@pytest.mark.parametrize("value", [0.02, float("nan")])
def test_one_intolerable_difference_is_enough(part: str, value: float) -> None:
    none = dict.fromkeys(TOLERANCES, 0.0)
    assert export.tolerable(none) and not export.tolerable({**none, part: value})


def test_other_durations_are_a_difference(voice: NaturalVoice) -> None:
    with pytest.raises(RuntimeSetupError, match="durations"):
        export.compare(voice, NaturalVoice(voice.model, replace(SPEAKER, rate=0.6)))


def test_a_folder_that_holds_a_voice_keeps_it(file: Path, tmp_path: Path) -> None:
    (tmp_path / "times.onnx").write_bytes(b"kept")
    with pytest.raises(DataError, match=r"times\.onnx") as caught:
        export.export(file, tmp_path)
    assert caught.value.cause == "output_exists"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"kept"]


def test_what_is_no_checkpoint_is_not_exported(tmp_path: Path) -> None:
    (tmp_path / "voice.pt").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(CheckpointError):
        export.export(tmp_path / "voice.pt", tmp_path / "out")


@pytest.mark.parametrize("delivery", [Delivery(), Delivery(rate=0.8, pitch=3.0, pause=2.0, seed=5, sample_rate=24_000)])
def test_both_runtimes_say_the_same(
    voice: NaturalVoice, exported: tuple[Path, dict[str, str]], delivery: Delivery
) -> None:
    ours, theirs = voice.say(TEXT, delivery), load(exported[0]).say(TEXT, delivery)
    assert len(ours.wave) == len(theirs.wave)
    # Not sample by sample: the last bit of F0 moves a pulse in the end.
    assert np.square(ours.wave - theirs.wave).mean() < 1e-4 * np.square(ours.wave).mean()


def test_speaking_needs_no_torch(exported: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    code = (
        "import sys; from trainer.synthesis import load\n"
        f"load({str(exported[0])!r}).say('Hello.').save({str(tmp_path / 'a.wav')!r})\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    assert (tmp_path / "a.wav").exists()


def test_the_program_beside_the_files_speaks_without_this_package(
    voice: NaturalVoice, exported: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder = exported[0]
    for name, given in {"text.wav": ["Hello there."], "phonemes.wav": ["--phonemes", SPOKEN]}.items():
        # Isolated: neither the current folder nor PYTHONPATH is searched; a blocker shows that nothing else is imported.
        code = (
            "import runpy, sys; sys.modules['torch'] = sys.modules['trainer'] = None\n"
            f"sys.argv = {['speak.py', *given, str(tmp_path / name)]!r}\n"
            f"runpy.run_path({str(folder / 'speak.py')!r}, run_name='__main__')"
        )
        subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True, timeout=60)
    with wave.open(str(tmp_path / "phonemes.wav")) as sound:
        found = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32767
    assert (tmp_path / "text.wav").read_bytes() == (tmp_path / "phonemes.wav").read_bytes()
    symbols = alphabet.ids(SPOKEN)
    times, encoded = voice.times(symbols)
    frames = speak.text_frames(times, alphabet.IS_PAUSE[symbols], asdict(SPEAKER))
    f0, energy = voice.melody(encoded, speak.symbol_of_frame(frames))
    f0 = speak.moved(f0, asdict(SPEAKER))
    spectra = voice.spectra(symbols, speak.symbol_of_frame(2 * frames), f0, energy)
    ours = speak.synthesise(spectra, f0, np.random.default_rng(0))
    assert len(found) == len(ours) and np.square(found - ours).mean() < 1e-4 * np.square(ours).mean()


def test_the_readme_of_an_export_runs(exported: tuple[Path, dict[str, str]]) -> None:
    readme = (exported[0] / "README.md").read_text(encoding="utf-8")
    code = readme.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=exported[0], check=True, timeout=60, capture_output=True, text=True
    )
    assert 0.5 < float(done.stdout.removesuffix(" seconds\n")) < 3.0


def test_a_voice_that_differs_is_not_written(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = NaturalVoice(natural_base.load(), replace(SPEAKER, f0=1.0))
    monkeypatch.setattr(export, "OnnxNaturalVoice", lambda *models: other)
    monkeypatch.setattr(export, "models", lambda *given: {})
    with pytest.raises(RuntimeSetupError, match="F0 2e-01") as caught:
        export.export(file, tmp_path / "out")
    assert caught.value.cause == "export_differs"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38, -3e38])
def test_times_that_are_not_finite_are_bounded(value: float) -> None:
    frames = speak.text_frames(np.full(4, value, np.float32), np.array([1, 0, 0, 1], bool), asdict(SPEAKER))
    assert frames.dtype == np.int64 and frames.min() >= 1 and frames.max() <= speak.IMMENSE


def changed(**changes: str) -> Callable[[Path], list[bytes]]:
    def models(folder: Path) -> list[bytes]:
        found = FORM.read(folder)
        model = onnx.load_from_string(found[0])
        about = {entry.key: entry.value for entry in model.metadata_props}
        onnx.helper.set_model_props(model, {**about, **changes})
        return [model.SerializeToString(), *found[1:]]

    return models


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (changed(version="2"), "not that part"),
        (changed(symbols="{}"), "not that part"),
        (changed(checkpoint_sha256="0" * 64), "two voices"),
        (changed(speaker='{"f0": 1.0}'), "two voices"),
        (lambda folder: list(reversed(FORM.read(folder))), "not that part"),
        (lambda folder: [b"nothing"] * 3, "cannot load"),
    ],
)
def test_models_that_are_not_of_one_voice_are_refused(
    exported: tuple[Path, dict[str, str]], models: Callable[[Path], list[bytes]], message: str
) -> None:
    with pytest.raises(TrainingError, match=message) as caught:
        OnnxNaturalVoice(*models(exported[0]))
    assert caught.value.cause == "wrong_format"


def test_a_speaker_that_nobody_is_is_refused(exported: tuple[Path, dict[str, str]]) -> None:
    models = []
    for data in FORM.read(exported[0]):
        model = onnx.load_from_string(data)
        about = {entry.key: entry.value for entry in model.metadata_props}
        onnx.helper.set_model_props(model, {**about, "speaker": '{"f0": 99.0}'})
        models.append(model.SerializeToString())
    with pytest.raises(TrainingError, match="f0 is not a number"):
        OnnxNaturalVoice(*models)


def test_a_folder_with_a_part_missing_names_it(exported: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    (tmp_path / "times.onnx").write_bytes((exported[0] / "times.onnx").read_bytes())
    with pytest.raises(TrainingError, match=r"melody\.onnx") as caught:
        load(tmp_path)
    assert caught.value.cause == "missing"


@pytest.mark.parametrize("name", FORM.files)
def test_one_flipped_bit_in_a_part_is_refused(exported: tuple[Path, dict[str, str]], tmp_path: Path, name: str) -> None:
    for each in (*FORM.files, hash_record.NAME):
        (tmp_path / each).write_bytes((exported[0] / each).read_bytes())
    data = bytearray((tmp_path / name).read_bytes())
    data[len(data) // 2] ^= 64
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TrainingError, match=rf"{tmp_path}/{name} has sha256 .* SHA256SUMS has ") as caught:
        load(tmp_path)
    assert caught.value.cause == "wrong_format"


def test_the_sums_are_those_that_sha256sum_checks(exported: tuple[Path, dict[str, str]]) -> None:
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", hash_record.NAME], cwd=exported[0], check=True)
    listed = {line.split()[1] for line in (exported[0] / hash_record.NAME).read_text().splitlines()}
    # Another test may have run speak.py, which leaves its bytecode.
    assert listed == {path.name for path in exported[0].iterdir() if path.is_file()} - {hash_record.NAME}


def test_parts_without_their_sums_are_refused(exported: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    for each in FORM.files:
        (tmp_path / each).write_bytes((exported[0] / each).read_bytes())
    with pytest.raises(TrainingError, match=hash_record.NAME) as caught:
        load(tmp_path)
    assert caught.value.cause == "missing"
