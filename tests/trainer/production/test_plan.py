"""The plan's file: strictly read, its inputs held to their hashes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.production import batches
from trainer.errors import DataError
from trainer.files import strict_json
from trainer.production import layout, plan, reference
from trainer.production.plan import Plan


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    batches.make(tmp_path, takes=2, shards=2)
    return tmp_path


def refused(batch: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        plan.read(batch)
    return caught.value


def test_what_was_written_is_read_again(batch: Path) -> None:
    found = plan.read(batch)
    assert (batch / layout.PLAN).read_bytes() == plan.dumps(found)
    assert plan.loads(plan.dumps(found)) == found
    assert found.prompts.count == 3 and found.takes_of(1) + found.takes_of(2) == 6


def test_whole_numbers_in_the_settings_are_the_same_plan(batch: Path) -> None:
    found = plan.read(batch)
    whole = dataclasses.replace(found, delivery=dataclasses.replace(found.delivery, rate=1, pitch=0))
    assert plan.dumps(whole) == plan.dumps(found)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.update(schema="production_plan/2"),
        lambda values: values.update(takes=0),
        lambda values: values.update(takes=True),
        lambda values: values.update(shards=4),
        lambda values: values.update(seed=2**63 - 1),
        lambda values: values.update(checkpoint_sha256="abc"),
        lambda values: values["delivery"].update(rate=9.0),
        lambda values: values.update(colour="red"),
        lambda values: values.pop("pins"),
    ],
)
def test_a_plan_that_no_shard_could_follow_is_refused(batch: Path, change: Callable[[dict], object]) -> None:
    values = strict_json.loads((batch / layout.PLAN).read_bytes())
    change(values)
    (batch / layout.PLAN).write_text(strict_json.canonical(values) + "\n")
    assert refused(batch).cause == "plan_invalid"


def test_other_bytes_of_an_equal_plan_are_refused(batch: Path) -> None:
    (batch / layout.PLAN).write_bytes(strict_json.readable(strict_json.loads((batch / layout.PLAN).read_bytes())))
    assert "canonical" in str(refused(batch))


@pytest.mark.parametrize("name", layout.INPUTS[1:])
def test_an_input_that_changed_is_named(batch: Path, name: str) -> None:
    with (batch / name).open("ab") as file:
        file.write(b"\n")
    error = refused(batch)
    assert str(batch / name) in str(error)
    assert error.cause == ("checkpoint_changed" if name == layout.VOICE else "plan_changed")


def test_a_missing_input_and_a_missing_plan_are_told_apart(batch: Path) -> None:
    (batch / layout.PROMPTS).unlink()
    assert refused(batch).cause == "plan_changed"
    (batch / layout.PLAN).unlink()
    assert refused(batch).cause == "plan_missing"


def test_a_plan_without_prompts_is_never_written(batch: Path) -> None:
    found: Plan = plan.read(batch)
    empty = dataclasses.replace(found, prompts=dataclasses.replace(found.prompts, count=0))
    with pytest.raises(DataError, match="no prompt is left"):
        plan.write(batch, empty)
    assert plan.read(batch) == found


def test_other_last_digits_of_a_speaker_vector_are_the_same_plan(batch: Path) -> None:
    """Processors of another kind give them; a vector that is damaged is refused all the same."""
    before, found = plan.read(batch).sha256, reference.read(batch)
    moved = tuple(
        dataclasses.replace(clip, vector=tuple(value * (1 + 1e-7) for value in clip.vector)) for clip in found.clips
    )
    data = reference.dumps(moved, metric=found.metric, speaker_encoder=found.speaker_encoder)
    assert data != (batch / layout.REFERENCE).read_bytes()
    (batch / layout.REFERENCE).write_bytes(data)
    assert plan.read(batch).sha256 == before
    for here, there in zip(found.references(), reference.read(batch).references(), strict=True):
        assert abs(float(here.vector @ there.vector) - float(here.vector @ here.vector)) < 1e-6
    damaged = data.replace(str(moved[0].vector[0]).encode(), str(moved[0].vector[0] + 1e-5).encode(), 1)
    (batch / layout.REFERENCE).write_bytes(damaged)
    assert "its vectors are not those that were written" in str(refused(batch))


@pytest.mark.parametrize("change", [{"audio_sha256": "f" * 64}, {"id": "another"}])
def test_other_real_clips_are_another_reference(batch: Path, change: dict[str, str]) -> None:
    found = reference.read(batch)
    clips = (dataclasses.replace(found.clips[0], **change), *found.clips[1:])
    (batch / layout.REFERENCE).write_bytes(
        reference.dumps(clips, metric=found.metric, speaker_encoder=found.speaker_encoder)
    )
    assert str(batch / layout.REFERENCE) in str(refused(batch))
