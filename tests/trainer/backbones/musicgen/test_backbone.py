"""MusicGen behind the interface: licence, weights and libraries are asked for one after the other, and nothing heavy is imported early."""

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
