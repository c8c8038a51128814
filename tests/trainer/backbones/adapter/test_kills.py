"""The spectral adapter as a container runs it, killed where it hurts: what is resumed ends in the bytes of a run without a break."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.trainer.backbones.adapter.job import ACOUSTIC_STEPS, VOCODER_STEPS, AdapterJob
from tests.trainer.backbones.job import Job
from trainer.files import plain_file, sample_index

pytestmark = pytest.mark.training


def begins(text: str) -> Callable[[str], bool]:
    return lambda line: line.startswith(text)


def seen(files: Callable[[], Iterator[Path]], after: str) -> Callable[[str], bool]:
    """Time is when there is one of the `files`, looked for without a break from the line `after` on."""

    def look(line: str) -> bool:
        if not line.startswith(after):
            return False
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if next(files(), None) is not None:
                return True
        pytest.fail("the file did not appear")

    return look


def test_killed_in_every_phase_and_while_saving_it_ends_in_the_bytes_of_a_run_without_a_break(spoken_table, tmp_path):
    whole = AdapterJob(spoken_table, tmp_path / "whole")
    output = whole.finished()
    assert f"PROGRESS {ACOUSTIC_STEPS + VOCODER_STEPS} {ACOUSTIC_STEPS + VOCODER_STEPS} " in output

    job = AdapterJob(spoken_table, tmp_path / "killed")
    clips, temporaries = (
        (lambda: job.outputs.glob("data/utterances-*/*.flac")),
        (lambda: job.state.parent.glob(f".{job.state.name}.*")),
    )
    moments = {
        "preparing": seen(clips, after="model_ok"),
        "early in the acoustic model, while the state is saved": seen(temporaries, after="PROGRESS 1 "),
        "late in the acoustic model": begins(f"PROGRESS {ACOUSTIC_STEPS} "),
        "in the vocoder": begins(f"PROGRESS {ACOUSTIC_STEPS + VOCODER_STEPS - 1} "),
        "between checkpoint and status": begins(f"ARTIFACT {job.voice}"),
    }
    for moment, is_time in moments.items():
        lines = job.killed(is_time)
        assert job.status_now()["status"] == "running", moment
        assert ("data_ok" in lines) == (moment != "preparing")
        assert job.voice.exists() == (moment == "between checkpoint and status")
        if "is saved" in moment:
            assert list(temporaries()), "the kill came after the state was in place"

    last = job.finished()
    assert "continuing from the saved state at step" in last
    assert job.voice.read_bytes() == whole.voice.read_bytes()
    # The claims are the same too, from the first evaluation on, and what was saved on the way is gone.
    ours, theirs = (one.status_now() for one in (job, whole))
    assert {**ours, "timestamp": ""} == {**theirs, "timestamp": ""}
    assert ours["checkpoint_sha256"] == plain_file.sha256(job.voice)
    assert not job.state.exists() and not list(temporaries())
    # What people plot and hear is the same as well.
    assert losses(job) == losses(whole)
    assert [row[0] for row in losses(whole) if row[3]] == [
        str(step + 1) for step in range(ACOUSTIC_STEPS + VOCODER_STEPS)
    ]
    assert heard(job) == heard(whole)
    index = sample_index.parse((whole.status.parent / "samples/samples.json").read_bytes())
    steps = {clip.step for clip in index.clips}
    assert {0, index.steps_total} < steps
    assert len(index.clips) == 3 * len(steps)


def losses(job: Job) -> list[list[str]]:
    """The table of losses without the seconds."""
    return [line.split(",")[:-1] for line in (job.status.parent / "training_log.csv").read_text().splitlines()[1:]]


def heard(job: Job) -> dict[str, bytes]:
    """Every sample by its name, and the index."""
    return {path.name: path.read_bytes() for path in (job.status.parent / "samples").iterdir()}
