"""One name chooses the backbone; a session pays only for the one that it uses."""

from pathlib import Path

import pytest

from trainer import backbones
from trainer.backbones.natural.settings import PRESETS
from trainer.errors import RuntimeSetupError

MUSICGEN = {
    "VOICE_BACKBONE_NAME": "musicgen-small",
    "VOICE_BACKBONE_WEIGHTS": "weights/musicgen-small",
    "VOICE_BACKBONE_LICENCE": "CC-BY-NC-4.0",
}


def test_natural_is_the_default_and_every_other_a_name_away():
    assert backbones.create({}, workspace=Path("/w")).name == "natural"
    settings = {"VOICE_BACKBONE_NAME": "vocoder", "VOICE_TRAIN_STEPS": "7", "VOICE_TRAIN_BLOCKS": "1"}
    backbone = backbones.create(settings, workspace=Path("/w"))
    assert (backbone.name, backbone.steps) == ("vocoder", 7)
    backbone.check()
    backbone.load()


@pytest.mark.parametrize(
    ("minutes", "taken"),
    [("5", None), ("1", None), ("15", None), ("2", "1"), ("14.5", "5"), ("0.5", "1"), ("600", "15")],
)
def test_minutes_that_are_no_preset_say_which_one_is_taken(minutes: str, taken: str | None):
    backbone = backbones.create({"VOICE_NATURAL_MINUTES": minutes}, workspace=Path("/w"))
    wanted = (
        ""
        if taken is None
        else f"VOICE_NATURAL_MINUTES={float(minutes):g}: the preset for {taken} minutes is taken; there are 1, 5, 15"
    )
    assert backbone.note == wanted


@pytest.mark.parametrize("minutes", ["nan", "-5", "0", "inf", "1e999", "five"])
def test_what_is_no_number_of_minutes_is_refused(minutes: str):
    with pytest.raises(RuntimeSetupError, match=r"VOICE_NATURAL_MINUTES=.* is not a number of minutes") as refused:
        backbones.create({"VOICE_NATURAL_MINUTES": minutes}, workspace=Path("/w"))
    assert refused.value.cause == "settings_invalid"


@pytest.mark.parametrize(
    ("name", "variable", "owner"),
    [
        ("natural", "VOICE_ADAPT_MINUTES", "spectral-adapter"), ("natural", "VOICE_TRAIN_STEPS", "vocoder"),
        ("vocoder", "VOICE_NATURAL_MINUTES", "natural"), ("musicgen-small", "VOICE_NATURAL_MINUTES", "natural"),
    ],
)  # fmt: skip
def test_a_setting_of_another_backbone_is_refused_and_not_ignored(name: str, variable: str, owner: str):
    with pytest.raises(RuntimeSetupError, match=f"{variable} is a setting of the backbone {owner}") as refused:
        backbones.create({**MUSICGEN, "VOICE_BACKBONE_NAME": name, variable: "1"}, workspace=Path("/w"))
    assert refused.value.cause == "settings_invalid"


def test_the_page_of_the_voice_names_the_steps_of_every_preset():
    page = (Path(__file__).parents[3] / "docs/voice.md").read_text(encoding="utf-8")
    for minutes, preset in PRESETS.items():
        row = f"| {minutes} minute{'s' * (minutes > 1)} | {preset.spectral_steps} | {preset.adversarial_steps} |"
        assert row in page


@pytest.mark.parametrize("name", backbones.NAMES)
def test_every_backbone_has_the_whole_interface(name):
    backbone = backbones.create({**MUSICGEN, "VOICE_BACKBONE_NAME": name}, workspace=Path("/w"))
    assert backbone.name == name
    assert type(backbone.transcripts) is bool and type(backbone.steps) is int
    for method in ("check", "load", "gather", "fit", "measure_start", "measure"):
        assert callable(getattr(backbone, method))


def test_musicgen_is_chosen_by_name_with_settings_of_its_own():
    backbone = backbones.create({**MUSICGEN, "VOICE_MUSICGEN_STEPS": "9"}, workspace=Path("/w"))
    assert (backbone.name, backbone.steps) == ("musicgen-small", 9)
    assert backbone.weights == Path("/w/weights/musicgen-small")
    assert backbone.promote is False


@pytest.mark.parametrize(
    "changes",
    [
        {"VOICE_BACKBONE_NAME": "musicgen-large"},
        {"VOICE_BACKBONE_NAME": "spectral-adapter"},
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
