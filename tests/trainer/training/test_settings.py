"""Settings from the environment: every mistake is named, nothing is ignored."""

import pytest

from trainer.backbones import TRAIN_PREFIX
from trainer.backbones.vocoder.settings import TrainSettings
from trainer.errors import RuntimeSetupError
from trainer.training.settings import from_environment


def read(**variables: str) -> TrainSettings:
    return from_environment(TrainSettings, TRAIN_PREFIX, variables)


def test_every_field_can_be_set_and_keeps_its_type():
    environ = {
        TRAIN_PREFIX + name.upper(): str(value)
        for name, value in TrainSettings(steps=7, learning_rate=0.5).as_dict().items()
    }
    assert from_environment(TrainSettings, TRAIN_PREFIX, environ) == TrainSettings(steps=7, learning_rate=0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [("VOICE_TRAIN_STEP", "5"), ("VOICE_TRAIN_STEPS", "many"), ("VOICE_TRAIN_STEPS", "0"), ("VOICE_TRAIN_STEPS", "1.5"),
     ("VOICE_TRAIN_LEARNING_RATE", "nan"), ("VOICE_TRAIN_LEARNING_RATE", "inf"), ("VOICE_TRAIN_DEVICE", "tpu")],
)  # fmt: skip
def test_an_unknown_or_impossible_setting_is_refused_by_name(name, value):
    with pytest.raises(RuntimeSetupError, match=f"{name}\\b") as caught:
        read(**{name: value})
    assert caught.value.cause == "settings_invalid"


def test_variables_of_others_are_left_alone():
    assert read(VOICE_WORKSPACE="/w", VOICE_SOURCE_AUDIO="a", PATH="/bin") == TrainSettings()
