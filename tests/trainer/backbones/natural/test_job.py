"""The natural backbone as a container runs it, killed where it hurts: what is resumed ends in the bytes of a run without a break."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from tests.trainer.backbones.job import Job
from trainer import backbones
from trainer.backbones import outside_the_job
from trainer.files import plain_file, sample_index
from trainer.synthesis import checkpoint_voice

pytestmark = pytest.mark.training
SPECTRAL, ADVERSARIAL = 2, 2
STEPS = SPECTRAL + ADVERSARIAL
TINY = {
    "VOICE_BACKBONE_NAME": "natural",
    "VOICE_NATURAL_SPECTRAL_STEPS": str(SPECTRAL), "VOICE_NATURAL_ADVERSARIAL_STEPS": str(ADVERSARIAL),
    "VOICE_NATURAL_SEGMENT_FRAMES": "40", "VOICE_NATURAL_JUDGED_FRAMES": "20", "VOICE_NATURAL_EVALUATE_EVERY": "4",
    "VOICE_NATURAL_SAVE_EVERY": "1", "VOICE_NATURAL_HELDOUT_SECONDS": "12",
    "VOICE_NATURAL_TRAIN_SECONDS": "12", "VOICE_PREPARE_MIN_TRANSCRIBED_S": "8",
}  # fmt: skip


class NaturalJob(Job):
    settings: ClassVar[Mapping[str, str]] = TINY


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


def test_killed_in_every_phase_and_while_saving_it_ends_in_the_bytes_of_a_run_without_a_break(
    spoken_table: Path, tmp_path: Path
) -> None:
    whole, job = (NaturalJob(spoken_table, tmp_path / name) for name in ("whole", "killed"))
    code, output = whole.here()
    assert code == 0 and f"PROGRESS {STEPS} {STEPS} " in output

    clips, temporaries = (
        (lambda: job.outputs.glob("data/utterances-*/*.flac")),
        (lambda: job.state.parent.glob(f".{job.state.name}.*")),
    )
    moments = {
        "preparing": seen(clips, after="model_ok"),
        "in the spectral stage, while the state is saved": seen(temporaries, after="PROGRESS 1 "),
        "between the stages": begins(f"PROGRESS {SPECTRAL} "),
        "in the adversarial stage": begins(f"PROGRESS {STEPS - 1} "),
        "between checkpoint and status": begins(f"ARTIFACT {job.voice}"),
    }
    for moment, is_time in moments.items():
        lines = job.killed(is_time)
        assert job.status_now()["status"] == "running", moment
        assert ("data_ok" in lines) == (moment != "preparing")
        assert job.voice.exists() == (moment == "between checkpoint and status")
        if "is saved" in moment:
            assert list(temporaries()), "the kill came after the state was in place"

    code, output = job.here()
    assert code == 0 and "continuing from the saved state at step" in output
    assert job.voice.read_bytes() == whole.voice.read_bytes()
    # The claims are the same too, from the first evaluation on, and what was saved on the way is gone.
    ours, theirs = (one.status_now() for one in (job, whole))
    assert {**ours, "timestamp": ""} == {**theirs, "timestamp": ""}
    assert ours["status"] == "completed" and ours["checkpoint_sha256"] == plain_file.sha256(job.voice)
    assert not job.state.exists() and not list(temporaries())
    # What people plot and hear is the same as well.
    assert losses(job) == losses(whole) and len(losses(whole)) >= STEPS
    assert heard(job) == heard(whole)
    index = sample_index.parse((whole.status.parent / "samples/samples.json").read_bytes())
    steps = {clip.step for clip in index.clips}
    assert {0, index.steps_total} <= steps and len(index.clips) == 3 * len(steps)

    measured = outside_the_job.measure(whole.voice, whole.outputs / "data/manifest.json", TINY, seed=3, threads=1)
    assert {name: theirs["learning"][name] for name in measured} == pytest.approx(measured, rel=1e-6)
    assert backbones.of_format(backbones.FORMATS["natural"]) == "natural"
    assert checkpoint_voice.load(whole.voice).say("Hello there.").seconds > 0.5


def losses(job: Job) -> list[list[str]]:
    """The table of losses without the seconds."""
    return [line.split(",")[:-1] for line in (job.status.parent / "training_log.csv").read_text().splitlines()[1:]]


def heard(job: Job) -> dict[str, bytes]:
    """Every sample by its name, and the index."""
    return {path.name: path.read_bytes() for path in (job.status.parent / "samples").iterdir()}
