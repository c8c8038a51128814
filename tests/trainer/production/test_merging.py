"""Shards of several machines brought together; what is missing, double, changed or another's is refused by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.production import batches
from trainer.errors import DataError
from trainer.production import layout, merging, plan

pytestmark = pytest.mark.long


@pytest.fixture
def machines(finished: Path, tmp_path: Path) -> list[Path]:
    """A batch without shards, a copy with the first and the third, and one with the second."""
    found = []
    for name, shards in (("empty", ()), ("one", (1, 3)), ("two", (2,))):
        folder = Path(shutil.copytree(finished, tmp_path / name))
        for index in {1, 2, 3} - set(shards):
            shutil.rmtree(layout.shard_folder(folder, index, 3))
        found.append(folder)
    return found


def refused(batch: Path, *sources: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        merging.merge(batch, sources)
    return caught.value


def test_shards_of_two_machines_are_one_batch(finished: Path, machines: list[Path]) -> None:
    batch, one, two = machines
    told: list[int] = []
    same = one / ".." / one.name  # a folder that is named twice is no second copy
    merging.merge(batch, [one, two, same], on_shard=told.append)
    assert told == [1, 2, 3]
    for index in (1, 2, 3):
        assert batches.content(layout.shard_folder(batch, index, 3)) == batches.content(
            layout.shard_folder(finished, index, 3)
        )
    merging.merge(batch, [one, two])  # once more changes nothing and refuses nothing


def test_only_clips_that_rows_name_are_taken_over(machines: list[Path]) -> None:
    batch, one, two = machines
    for name in (".DS_Store", "._0001_t1.flac", ".0001_t1.flac.0123456789abcdef.tmp"):
        (layout.shard_folder(two, 2, 3) / layout.CLIPS / name).write_bytes(b"")
    merging.merge(batch, [one, two])
    clips = layout.shard_folder(batch, 2, 3) / layout.CLIPS
    assert sorted(path.name for path in clips.iterdir()) == ["0002_t1.flac", "0002_t2.flac"]


def test_shards_are_not_written_through_a_link(machines: list[Path], tmp_path: Path) -> None:
    batch, one, two = machines
    away = tmp_path / "away"
    away.mkdir()
    (batch / layout.SHARDS).rmdir()
    (batch / layout.SHARDS).symlink_to(away)
    error = refused(batch, one, two)
    assert error.cause == "output_exists" and f"{batch / layout.SHARDS} is a symbolic link" in str(error)
    assert list(away.iterdir()) == []


def test_a_missing_shard_is_named(machines: list[Path]) -> None:
    batch, one, two = machines
    error = refused(batch, one)
    assert error.cause == "shard_missing" and "shard 2 of 3 is missing" in str(error)
    merging.merge(batch, [two])


def test_a_shard_in_two_places_is_refused_with_both(machines: list[Path], tmp_path: Path) -> None:
    batch, one, two = machines
    twice = Path(shutil.copytree(one, tmp_path / "again"))
    error = refused(batch, one, two, twice)
    assert error.cause == "shard_doubled"
    assert "shard 1 of 3" in str(error) and str(one) in str(error) and str(twice) in str(error)
    assert merging.unfinished(batch, plan.read(batch)) == [1, 2, 3]


def copied_under_a_free_name(batch: Path) -> None:
    shutil.copytree(layout.shard_folder(batch, 1, 3), batch / layout.SHARDS / "0001-of-0003 (1)")


def copied_over_another(batch: Path) -> None:
    shutil.rmtree(layout.shard_folder(batch, 2, 3))
    shutil.copytree(layout.shard_folder(batch, 1, 3), layout.shard_folder(batch, 2, 3))


def of_eight(batch: Path) -> None:
    shutil.copytree(layout.shard_folder(batch, 1, 3), layout.shard_folder(batch, 1, 8))


@pytest.mark.parametrize(
    ("damage", "cause", "name"),
    [
        (copied_under_a_free_name, "shard_doubled", "0001-of-0003 (1)"),
        (copied_over_another, "shard_doubled", "shard 2 of 3"),
        (of_eight, "shard_of_another_plan", "0001-of-0008"),
    ],
)
def test_a_doubled_shard_is_refused_by_name(
    finished: Path, tmp_path: Path, damage: Callable[[Path], None], cause: str, name: str
) -> None:
    batch = Path(shutil.copytree(finished, tmp_path / "batch"))
    damage(batch)
    error = refused(batch)
    assert error.cause == cause and name in str(error)


def test_a_corrupted_shard_is_refused_by_name_and_nothing_of_it_is_taken(machines: list[Path]) -> None:
    batch, one, two = machines
    clip = sorted((layout.shard_folder(two, 2, 3) / layout.CLIPS).iterdir())[0]
    clip.write_bytes(clip.read_bytes() + b"\0")
    error = refused(batch, one, two)
    assert error.cause == "shard_invalid" and "shard 2 of 3" in str(error) and clip.name in str(error)
    assert not layout.shard_folder(batch, 2, 3).exists()


def test_a_folder_of_another_plan_is_refused(machines: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    batches.make(other, takes=2, shards=3, seed=5)
    error = refused(machines[0], other)
    assert error.cause == "shard_of_another_plan" and str(other) in str(error)
