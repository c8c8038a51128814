"""A file under a second name: a hard link, or a copy where a link is impossible."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from trainer.files import plain_file
from trainer.files.atomic_file import TEMPORARY_SUFFIX, replacing, unwritable


def place(source: Path, target: Path) -> None:
    """Make `target` the file `source`, whole or not at all; raises PlainFileError and TrainingError(disk_full | output_not_writable)."""
    os.close(plain_file.descriptor(source))  # no link and no device gets a second name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
        try:
            os.link(source, temporary)
            os.replace(temporary, target)
        except OSError:  # another file system, or one without links
            with replacing(target) as stream, plain_file.opened(source) as file:
                shutil.copyfileobj(file, stream, 2**20)
        finally:
            with contextlib.suppress(FileNotFoundError):  # renaming one name of a file to another of it does nothing
                temporary.unlink()
    except plain_file.PlainFileError:
        raise
    except OSError as error:
        raise unwritable(target, error) from error
