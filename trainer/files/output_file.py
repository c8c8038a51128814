"""Named files that a command is to write, looked at before its work: nothing is lost by accident, and no work is in vain."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import DataError
from trainer.files import plain_file
from trainer.files.atomic_file import TEMPORARY_SUFFIX, unwritable

_MAX_BYTES = 64 * 2**20
"""The largest result that one of the commands writes."""
OVERWRITE = "name another file, or give --overwrite"
PICTURE = {"Software": "voice-acceptance"}
"""Written into every PNG, so that an earlier one is known."""
PICTURE_SIGN = b"Software\0voice-acceptance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file to write; `option` is how the command line calls it."""

    option: str
    path: Path
    sign: bytes
    """Bytes that every earlier result of this kind has in it, and hardly any other file: such a one is replaced without asking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file that the command reads; `name` is what it is."""

    name: str
    path: Path


def check(
    outputs: Sequence[Output], inputs: Iterable[Input] = (), *, overwrite: bool = False, hint: str = OVERWRITE
) -> None:
    """Raises DataError(output_exists) for an output that is an input, another output, or (without `overwrite`) a file of another kind.

    Raises TrainingError(output_not_writable | disk_full) where one cannot be written. Nothing is left behind.
    """
    for index, output in enumerate(outputs):
        for other in outputs[:index]:
            if _same(output.path, other.path):
                raise DataError(
                    f"{output.path}: {output.option} and {other.option} name one file; give each its own",
                    cause="output_exists",
                )
    for each in inputs:
        for output in outputs:
            if _same(output.path, each.path):
                raise DataError(
                    f"{output.path}: {output.option} would replace {each.name} {each.path}; name another file",
                    cause="output_exists",
                )
    for output in outputs:
        check_writable(output.path)
        if not overwrite and not _replaceable(output):
            what = "is a link" if output.path.is_symlink() else f"exists and is no earlier result of {output.option}"
            raise DataError(f"{output.path} {what}; {hint}", cause="output_exists")


def refuse_existing(path: Path, *, overwrite: bool = False) -> None:
    """Raises DataError(output_exists) where anything lies at `path`, unless it may be overwritten."""
    if not overwrite and (path.exists() or path.is_symlink()):
        raise DataError(f"{path} exists; {OVERWRITE}", cause="output_exists")


def refuse_link(folder: Path) -> None:
    """Raises DataError(output_exists) for a folder that leads elsewhere: files of equal names would be lost there."""
    if folder.is_symlink():
        raise DataError(
            f"{folder} is a symbolic link: files of equal names would be lost where it leads; remove the link, or put here what it leads to",
            cause="output_exists",
        )


def check_writable(path: Path) -> None:
    """Raises TrainingError(output_not_writable | disk_full) where `path` could not be written now."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EEXIST, "is a directory" if path.is_dir() else "is not a regular file")
        place = next(folder for folder in path.absolute().parents if folder.exists())
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX, dir=place)
        os.close(descriptor)
        Path(name).unlink()
    except OSError as error:
        raise unwritable(path, error) from error


def _same(first: Path, second: Path) -> bool:
    with suppress(OSError):
        if first.samefile(second):
            return True
    return first.resolve() == second.resolve()


def _replaceable(output: Output) -> bool:
    """Whether nothing is lost with what lies there: nothing, an empty file, or an earlier result."""
    try:
        data = plain_file.read(output.path, limit=_MAX_BYTES)
    except plain_file.PlainFileError as error:
        return error.cause in ("missing", "no_directory")
    return not data or output.sign in data
