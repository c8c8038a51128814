"""The job from the environment: what is missing or makes no sense is named, paths are the workspace's."""

from pathlib import Path

import pytest

from trainer.errors import RuntimeSetupError
from trainer.job.job_settings import job_from_environment

JOB = {
    "RUN_ID": "r",
    "VOICE_SOURCE_AUDIO": "a.flac",
    "MANIFEST_PATH": "m.json",
    "TRAIN_STATUS_PATH": "s/s.json",
    "CHECKPOINT_PATH": "c.pt",
}


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
