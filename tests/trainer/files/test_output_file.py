"""A named output is refused before the work where something would be lost, or where it cannot be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from trainer.errors import DataError, TrainingError
from trainer.files import output_file
from trainer.files.atomic_file import unwritable
from trainer.files.output_file import Input, Output

SIGN = b"an earlier result"


def output(path: Path, option: str = "--output") -> Output:
    return Output(option=option, path=path, sign=SIGN)


@pytest.mark.parametrize("content", [None, b"", b"this is an earlier result of ours"])
def test_nothing_is_asked_where_nothing_is_lost(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "new" / "out"
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    output_file.check([output(path)])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_of_another_kind_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"mine")
    with pytest.raises(
        DataError, match=r"notes\.txt exists and is no earlier result of --output; .*--overwrite"
    ) as caught:
        output_file.check([output(path)])
    assert caught.value.cause == "output_exists"
    output_file.check([output(path)], overwrite=True)


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_an_input_is_not_replaced_under_any_name_even_when_asked(tmp_path: Path, link) -> None:
    path = tmp_path / "voice.pt"
    path.write_bytes(SIGN)
    link(path, tmp_path / "other.json")
    for named in (path, tmp_path / "x" / ".." / "voice.pt", tmp_path / "other.json"):
        with pytest.raises(DataError, match=r"would replace the checkpoint .*voice\.pt") as caught:
            output_file.check([output(named)], [Input(name="the checkpoint", path=path)], overwrite=True)
        assert caught.value.cause == "output_exists"


def test_two_outputs_may_not_be_one_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--plot and --output name one file"):
        output_file.check([output(tmp_path / "a"), output(tmp_path / "x" / ".." / "a", "--plot")], overwrite=True)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    for path in (
        tmp_path,
        tmp_path / "file" / "out",
        tmp_path / "fifo",
        tmp_path / ("x" * 250),
        tmp_path / ("x" * 300) / "out",
        Path("/dev/null"),
    ):
        with pytest.raises(TrainingError) as caught:
            output_file.check([output(path)], overwrite=True)
        assert caught.value.cause == "output_not_writable" and "choose another place" in str(caught.value)


def test_only_permissions_are_asked_for_where_they_help() -> None:
    assert "make here writable" in str(unwritable(Path("here/a"), PermissionError(errno.EACCES, "denied")))
    assert (
        str(unwritable(Path("here/a"), OSError(errno.EROFS, "Read-only file system")))
        == "here/a: Read-only file system; choose another place"
    )
