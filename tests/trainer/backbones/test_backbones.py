"""One name chooses the backbone; a session pays only for the one that it uses."""

import subprocess
import sys
from pathlib import Path

import pytest

from trainer import backbones
from trainer.errors import RuntimeSetupError

MUSICGEN = {
    "VOICE_BACKBONE_NAME": "musicgen-small",
    "VOICE_BACKBONE_WEIGHTS": "weights/musicgen-small",
    "VOICE_BACKBONE_LICENCE": "CC-BY-NC-4.0",
}


def test_the_spectral_adapter_is_the_default_and_the_vocoder_a_name_away():
    assert backbones.create({}, workspace=Path("/w")).name == "spectral-adapter"
    settings = {"VOICE_BACKBONE_NAME": "vocoder", "VOICE_TRAIN_STEPS": "7", "VOICE_TRAIN_BLOCKS": "1"}
    backbone = backbones.create(settings, workspace=Path("/w"))
    assert (backbone.name, backbone.steps) == ("vocoder", 7)
    backbone.check()
    backbone.load()


@pytest.mark.parametrize("name", backbones.NAMES)
def test_every_backbone_has_the_whole_interface(name):
    backbone = backbones.create({**MUSICGEN, "VOICE_BACKBONE_NAME": name}, workspace=Path("/w"))
    assert backbone.name == name
    assert type(backbone.transcripts) is bool and type(backbone.steps) is int
    for method in ("check", "load", "gather", "fit", "measure_start", "measure"):
        assert callable(getattr(backbone, method))


def test_musicgen_is_chosen_by_name_with_settings_of_its_own():
    backbone = backbones.create({**MUSICGEN, "VOICE_MUSICGEN_STEPS": "9", "VOICE_TRAIN_STEPS": "7"}, workspace=Path("/w"))
    assert (backbone.name, backbone.steps) == ("musicgen-small", 9)
    assert backbone.weights == Path("/w/weights/musicgen-small")
    assert backbone.promote is False


@pytest.mark.parametrize(
    "changes",
    [
        {"VOICE_BACKBONE_NAME": "musicgen-large"},
        {"VOICE_BACKBONE_WEIGHTS": ""},
        {"VOICE_BACKBONE_LICENSE": "CC-BY-NC-4.0"},
        {"VOICE_BACKBONE_PROMOTE": "maybe"},
        {"VOICE_MUSICGEN_RANK": "0"},
        {"VOICE_MUSICGEN_STEPS": "many"},
        {"VOICE_MUSICGEN_DEVICE": "tpu"},
    ],
)
def test_settings_that_cannot_be_are_refused(changes):
    with pytest.raises(RuntimeSetupError) as refused:
        backbones.create({**MUSICGEN, **changes}, workspace=Path("/w"))
    assert refused.value.cause == "settings_invalid"


def test_the_licence_is_asked_for_before_the_weights(tmp_path):
    backbone = backbones.create({**MUSICGEN, "VOICE_BACKBONE_LICENCE": ""}, workspace=tmp_path)
    with pytest.raises(RuntimeSetupError) as refused:
        backbone.check()
    assert refused.value.cause == "licence_not_accepted"
    with pytest.raises(RuntimeSetupError) as refused:
        backbones.create(MUSICGEN, workspace=tmp_path).check()
    assert refused.value.cause == "weights_missing"


def test_neither_choosing_nor_checking_musicgen_imports_what_is_heavy(seeded_folder):
    environ = {**MUSICGEN, "VOICE_BACKBONE_WEIGHTS": str(seeded_folder)}
    program = (
        "import sys, pathlib, trainer.backbones as b\n"
        f"b.create({environ}, workspace=pathlib.Path()).check()\n"
        "print(*sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == ""


def test_a_folder_that_is_whole_passes_check_and_load(seeded_folder):
    backbone = backbones.create({**MUSICGEN, "VOICE_BACKBONE_WEIGHTS": str(seeded_folder)}, workspace=Path("/"))
    backbone.check()
    backbone.load()


@pytest.mark.parametrize("module", ["transformers", "peft"])
def test_an_image_without_its_libraries_says_which_is_missing(module, seeded_folder, monkeypatch):
    backbone = backbones.create({**MUSICGEN, "VOICE_BACKBONE_WEIGHTS": str(seeded_folder)}, workspace=Path("/"))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RuntimeSetupError, match=module) as refused:
        backbone.load()
    assert refused.value.cause == "missing_module"
