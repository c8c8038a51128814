"""The folder of a batch: what is not a batch's stays as it is, and a command that makes no plan leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.failure import HarnessError
from acceptance.production import batch_folder
from trainer.errors import TrainingError
from trainer.production import layout


def refused(folder: Path, *, going_on: bool = False) -> HarnessError:
    with pytest.raises(HarnessError) as caught, batch_folder.held(folder, going_on=going_on):
        pass
    return caught.value


def stopped_after_the_prompts(batch: Path) -> None:
    (batch / layout.PROMPTS).write_bytes(b"some")
    raise ValueError("prompts")


def test_two_commands_at_once_are_refused(tmp_path: Path) -> None:
    with batch_folder.held(tmp_path / "batch"):
        assert refused(tmp_path / "batch").cause == "batch_busy"


@pytest.mark.parametrize("name", ["holiday.jpg", *layout.INPUTS[1:]])
def test_a_folder_with_files_of_others_is_refused_again_and_again_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    for _ in range(2):
        error = refused(tmp_path)
        assert error.cause == "output_exists" and f"{tmp_path} holds {name}" in str(error)
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_bytes() == b"mine"


def test_a_batch_that_was_never_begun_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("typo", "empty"):
        error = refused(tmp_path / name, going_on=True)
        assert error.cause == "plan_missing" and str(tmp_path / name) in str(error) and "without --resume" in str(error)
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


def test_what_a_killed_command_left_before_its_plan_is_no_obstacle(tmp_path: Path) -> None:
    for name in (batch_folder.LOCK, layout.PROMPTS, layout.VOICE):
        (tmp_path / name).write_bytes(b"")
    for going_on in (False, True):
        with batch_folder.held(tmp_path, going_on=going_on):
            pass


def test_a_command_that_fails_before_its_plan_leaves_no_folder(tmp_path: Path) -> None:
    batch = tmp_path / "new/batch"
    with pytest.raises(ValueError, match="prompts"), batch_folder.held(batch):
        stopped_after_the_prompts(batch)
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_fails_in_a_batch_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / layout.PLAN).write_bytes(b"{}")
    with pytest.raises(ValueError, match="refused"), batch_folder.held(tmp_path):
        raise ValueError("refused")
    assert (tmp_path / layout.PLAN).exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(TrainingError, match=f"{tmp_path / 'file'}: File exists; choose another place"):
        batch_folder.held(tmp_path / "file").__enter__()
