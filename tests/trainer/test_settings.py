"""Settings from the environment: every mistake is named, nothing is ignored."""

from pathlib import Path

import pytest

from trainer.errors import RuntimeSetupError
from trainer.settings import TRAIN_PREFIX, TrainSettings, from_environment, job_from_environment

JOB = {
    "RUN_ID": "r",
    "VOICE_SOURCE_AUDIO": "a.flac",
    "MANIFEST_PATH": "m.json",
    "TRAIN_STATUS_PATH": "s/s.json",
    "CHECKPOINT_PATH": "c.pt",
}


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
    with pytest.raises(
        RuntimeSetupError, match=name.removeprefix(TRAIN_PREFIX).split("_")[0].lower() + "|" + name
    ) as caught:
        read(**{name: value})
    assert caught.value.cause == "settings_invalid"


def test_variables_of_others_are_left_alone():
    assert read(VOICE_WORKSPACE="/w", VOICE_SOURCE_AUDIO="a", PATH="/bin") == TrainSettings()


@pytest.mark.parametrize("missing", ["RUN_ID", "MANIFEST_PATH", "CHECKPOINT_PATH"])
def test_a_missing_variable_of_the_job_is_named(missing):
    environ = {name: value for name, value in JOB.items() if name != missing}
    with pytest.raises(RuntimeSetupError, match=missing):
        job_from_environment(environ)


@pytest.mark.parametrize(
    ("name", "value"), [("SEED", "-1"), ("SEED", "x"), ("NUM_THREADS", "0"), ("TRAIN_JOB_TYPE", "music")]
)
def test_a_job_that_makes_no_sense_is_refused(name, value):
    with pytest.raises(RuntimeSetupError, match=name):
        job_from_environment({**JOB, name: value})


def test_paths_are_relative_to_the_workspace():
    job = job_from_environment({**JOB, "VOICE_WORKSPACE": "/w"})
    assert job.audio == Path("/w/a.flac")
    assert job.state == Path("/w/s/train_state.pt")
    assert job.markers == Path("/w/s/phase_markers.log")
