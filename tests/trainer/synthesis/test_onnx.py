"""The exported voice: files, the proof that they speak like the checkpoint, and speaking without torch."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tests.trainer.synthesis import untrained_voice
from trainer.errors import DataError, RuntimeSetupError, TrainingError
from trainer.files.checkpoint import CheckpointError
from trainer.files.plain_file import sha256
from trainer.models.acoustic.model import LONGEST_SYMBOL
from trainer.synthesis import Delivery, OnnxVoice, Voice
from trainer.synthesis import export as exporting
from trainer.synthesis.export_spectral import SPECTRAL
from trainer.synthesis.passages import passages
from trainer.text.phones import SYMBOLS

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
TEXT = "Hello. Is this a longer sentence, with a comma in it?\n\nYes!"


@pytest.fixture(scope="module")
def exported(voice_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx") / "voice"
    return folder, exporting.export(voice_file, folder)


@pytest.fixture(scope="module")
def onnx_voice(exported):
    return OnnxVoice.load(exported[0])


def test_an_export_says_what_it_wrote_and_how_far_it_differs(exported, voice_file):
    folder, found = exported
    assert sorted(path.name for path in folder.iterdir()) == ["acoustic.onnx", "vocoder.onnx"]
    assert found["checkpoint_sha256"] == sha256(voice_file)
    assert "wave" in found["largest_difference"]


def test_the_files_say_what_they_are(exported, voice_file):
    for name in SPECTRAL.form.files:
        model = onnx.load(exported[0] / name)
        about = {entry.key: entry.value for entry in model.metadata_props}
        assert about["checkpoint_sha256"] == sha256(voice_file)
        assert about["sample_rate"] == "22050"
        assert [entry.version for entry in model.opset_import if entry.domain == ""] == [exporting.OPSET]
        assert all(symbol in about["symbols"] for symbol in SYMBOLS)


def test_every_length_has_a_name(exported):
    model = onnx.load(exported[0] / "vocoder.onnx")
    names = {value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
             for value in (*model.graph.input, *model.graph.output)}  # fmt: skip
    assert names["mel"] == [80, "frames"]
    assert names["pulses"] == names["noise"] == names["wave"] == ["samples"]


@pytest.mark.parametrize("delivery", [Delivery(), Delivery(rate=0.8, pitch=3.0, pause=2.0, seed=5, sample_rate=24_000)])
def test_both_runtimes_say_the_same(voice, onnx_voice, delivery):
    ours, theirs = voice.say(TEXT, delivery), onnx_voice.say(TEXT, delivery)
    assert len(ours.wave) == len(theirs.wave)
    # Not sample by sample: the last bit of F0 moves a pulse in the end.
    assert np.square(ours.wave - theirs.wave).mean() < 1e-4 * np.square(ours.wave).mean()


def test_the_same_seed_gives_the_same_samples(exported, onnx_voice):
    again = OnnxVoice.load(exported[0]).say(TEXT)
    assert np.array_equal(onnx_voice.say(TEXT).wave, again.wave)


def test_speaking_needs_no_torch(exported, tmp_path):
    code = (
        "import sys; from trainer.synthesis import OnnxVoice\n"
        f"OnnxVoice.load({str(exported[0])!r}).say('Hello.').save({str(tmp_path / 'a.wav')!r})\n"
        "assert 'torch' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    assert (tmp_path / "a.wav").exists()


def test_a_voice_that_differs_is_not_written(voice_file, tmp_path, monkeypatch):
    other = Voice.load(untrained_voice.write(tmp_path / "other.pt", log_mel=-2.5))
    monkeypatch.setattr(exporting, "way_of", lambda voice: replace(SPECTRAL, opened=lambda *models: other))
    monkeypatch.setattr(exporting, "models", lambda *given: {})
    with pytest.raises(RuntimeSetupError, match="nothing was written") as caught:
        exporting.export(voice_file, tmp_path / "out")
    assert caught.value.cause == "export_differs"
    assert not (tmp_path / "out").exists()


def test_both_networks_are_compared_within_the_stated_tolerance(voice, onnx_voice):
    found = exporting.compare(voice, onnx_voice, SPECTRAL)
    assert found.keys() == SPECTRAL.tolerances.keys()
    assert exporting.tolerable(found, SPECTRAL.tolerances)


@pytest.mark.parametrize("part", SPECTRAL.tolerances)
@pytest.mark.parametrize("value", [0.02, float("nan")])
def test_one_intolerable_difference_is_enough(part, value):
    none = dict.fromkeys(SPECTRAL.tolerances, 0.0)
    assert exporting.tolerable(none, SPECTRAL.tolerances)
    assert not exporting.tolerable({**none, part: value}, SPECTRAL.tolerances)


def test_other_durations_are_a_difference(voice, tmp_path):
    slower = Voice.load(untrained_voice.write(tmp_path / "slower.pt", log_duration=2.4))
    with pytest.raises(RuntimeSetupError, match="durations"):
        exporting.compare(voice, slower, SPECTRAL)


def test_durations_that_are_not_finite_are_the_same_in_both_runtimes(voice):
    passage = next(passages(TEXT))
    broken = Voice(voice.acoustic, replace(voice.speaker, log_duration=torch.tensor(float("nan"))), voice.vocoder)
    ours = broken.acoustics(passage, Delivery()).frames
    theirs = OnnxVoice(*exporting.models(broken, SPECTRAL).values()).acoustics(passage, Delivery()).frames
    assert np.array_equal(ours, theirs)
    assert ours.min() >= 0 and 0 < ours.sum() <= LONGEST_SYMBOL * len(ours)


@pytest.mark.parametrize("name", ["acoustic.onnx", "times.onnx"])
def test_a_folder_that_holds_a_voice_keeps_it(voice_file, tmp_path, name):
    (tmp_path / name).write_bytes(b"kept")
    with pytest.raises(DataError, match=name) as caught:
        exporting.export(voice_file, tmp_path, overwrite=name == "times.onnx")
    assert caught.value.cause == "output_exists"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"kept"]


def test_what_is_no_checkpoint_is_not_exported(tmp_path):
    (tmp_path / "voice.pt").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(CheckpointError):
        exporting.export(tmp_path / "voice.pt", tmp_path / "out")


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(TrainingError) as caught:
        OnnxVoice.load(tmp_path)
    assert caught.value.cause == "missing"


def altered(folder: Path, name: str, **changes: str) -> tuple[bytes, ...]:
    models = {part: (folder / part).read_bytes() for part in SPECTRAL.form.files}
    model = onnx.load_from_string(models[name])
    about = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, {**about, **changes})
    return tuple({**models, name: model.SerializeToString()}.values())


def test_models_of_two_voices_are_refused(exported):
    with pytest.raises(TrainingError, match="two voices"):
        OnnxVoice(*altered(exported[0], "vocoder.onnx", checkpoint_sha256="0" * 64))


@pytest.mark.parametrize(
    "changes", [{"version": "2"}, {"symbols": "[]"}, {"sample_rate": "24000"}, {"part": "vocoder.onnx"}]
)
def test_models_of_another_kind_are_refused(exported, changes):
    with pytest.raises(TrainingError) as caught:
        OnnxVoice(*altered(exported[0], "acoustic.onnx", **changes))
    assert caught.value.cause == "wrong_format"


def test_bytes_that_are_no_model_are_refused():
    with pytest.raises(TrainingError, match="cannot load"):
        OnnxVoice(b"nothing", b"nothing")
