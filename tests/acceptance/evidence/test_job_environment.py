"""What a job is told of its recogniser: nothing by default, so that today's jobs stay as they are."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from acceptance.evidence import job
from acceptance.objective import SettingsError, load

ROOT = PurePosixPath("/workspace")


def told(*overrides: str) -> dict[str, str]:
    settings = load("demo", overrides=overrides, environ={})
    return {name: value for name, value in job.environment(settings, ROOT, "run").items() if "RECOGNISER" in name}


def test_by_default_a_job_is_told_of_no_recogniser() -> None:
    assert told() == {}


def test_a_chosen_recogniser_its_weights_and_their_digest_are_told() -> None:
    assert told("recogniser=whisper", "recogniser_weights=weights/tiny.en", "recogniser_sha256=ab") == {
        "VOICE_RECOGNISER_NAME": "whisper",
        "VOICE_RECOGNISER_WEIGHTS": "weights/tiny.en",
        "VOICE_RECOGNISER_SHA256": "ab",
    }


def test_weights_go_to_an_engine_that_does_not_see_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    settings = load("demo", overrides=["recogniser=whisper", "recogniser_weights=weights"], environ={})
    assert "weights" in job.inputs(settings, tmp_path)


@pytest.mark.parametrize(
    "override", ["recogniser=kaldi", "recogniser_weights=/elsewhere", "recogniser_weights=weights"]
)
def test_what_cannot_be_chosen_is_refused(override: str) -> None:
    with pytest.raises(SettingsError, match="recogniser"):
        load("demo", overrides=[override], environ={})
