"""The folder of a batch while a command works on it: no other command does, and one that makes no plan leaves the folder as it was."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from acceptance.failure import HarnessError
from trainer.files.atomic_file import unwritable
from trainer.production import layout

LOCK = ".lock"
"""Lies in every batch that was begun; a killed command leaves it, so that its folder is known."""


def is_planned(batch: Path) -> bool:
    """Whether a batch has its plan already."""
    return (batch / layout.PLAN).exists()


@contextlib.contextmanager
def held(batch: Path, *, going_on: bool = False) -> Iterator[None]:
    """Keep every other command out of a batch; without `going_on` a new or an empty folder may become one.

    Raises HarnessError(batch_busy | plan_missing | output_exists), TrainingError(disk_full | output_not_writable).
    """
    begun = is_planned(batch) or (batch / LOCK).is_file()
    if going_on and not begun:
        raise HarnessError(
            f"{batch}: no batch was begun there; correct the name, or begin one: voice produce without --resume",
            cause="plan_missing",
        )
    if not is_planned(batch):
        _require_free(batch, replaceable=layout.INPUTS if begun else ())
    new = [folder for folder in (batch, *batch.parents) if not folder.exists()]
    try:
        batch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(batch, error) from error
    try:
        lock = FileLock(batch / LOCK, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise HarnessError(
            f"{batch}: another command works on this batch; wait for its end", cause="batch_busy"
        ) from error
    except OSError as error:
        raise unwritable(batch / LOCK, error) from error
    try:
        yield
    except BaseException:
        if not begun and not is_planned(batch):
            _clear(batch, new)
        raise
    finally:
        lock.release()


def _require_free(batch: Path, *, replaceable: tuple[str, ...]) -> None:
    """Raises HarnessError(output_exists) for a folder with anything in it that a batch would replace, or that is no part of one."""
    try:
        names = sorted(os.listdir(batch)) if batch.is_dir() else []
    except OSError as error:
        raise unwritable(batch / LOCK, error) from error
    for name in names:
        if name[0] == "." or name in replaceable:
            continue
        why = "which a batch would replace" if name in layout.INPUTS else "which is no part of a batch"
        raise HarnessError(f"{batch} holds {name}, {why}; name an empty or a new folder", cause="output_exists")


def _clear(batch: Path, new: list[Path]) -> None:
    """Remove what was written before a plan that was not made, and the folders that were new."""
    with contextlib.suppress(OSError):
        for name in (*layout.INPUTS, LOCK):
            (batch / name).unlink(missing_ok=True)
        for folder in new:
            folder.rmdir()
