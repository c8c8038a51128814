"""Mel pictures of the takes of a batch: of all in a small one, of some in a large one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from acceptance.pages import picture, sound
from acceptance.production.batch_content import APPROVED, BatchContent, SortedTake
from trainer.files import output_file
from trainer.files.atomic_file import unwritable, write_atomically
from trainer.production import layout

FOLDER = "pictures"
MOST_INSIDE = 100
"""A batch with more takes has its pictures as files beside the page, which a browser loads as they come into view."""
MOST = 500

Key = tuple[str, int]
"""Prompt and take."""


def drawn(content: BatchContent, page: Path) -> dict[Key, str]:
    """The address of the picture of every take that has one; raises TrainingError(disk_full | output_not_writable), DataError for a link.

    Pictures of an earlier time that are not needed any more are removed.
    """
    inside = content.summary.counts.generated <= MOST_INSIDE
    folder = content.batch / FOLDER
    output_file.refuse_link(folder)
    found: dict[Key, str] = {}
    written: set[str] = set()
    for one in _chosen(content):
        image = _image(content.batch, one)
        if image is None:
            continue
        if inside:
            found[one.id, one.take] = picture.inside(image)
            continue
        path = folder / f"{layout.clip_name(one.id, one.take)}.png"
        write_atomically(path, image)
        written.add(path.name)
        found[one.id, one.take] = sound.beside(path, page)
    _remove_others(folder, written)
    return found


def _chosen(content: BatchContent) -> Iterable[SortedTake]:
    """The best and the worst, then what is not approved, then the best takes of their prompts; in this order until there are enough."""
    orders = (
        content.summary.best,
        content.summary.worst,
        (one for one in content.takes if one.verdict != APPROVED),
        (one for one in content.takes if one.best),
        content.takes,
    )
    chosen: dict[Key, SortedTake] = {}
    for order in orders:
        for one in order:
            if len(chosen) == MOST:
                break
            chosen.setdefault((one.id, one.take), one)
    return chosen.values()


def _image(batch: Path, one: SortedTake) -> bytes | None:
    """A PNG of a take; None for one without sound."""
    if one.file is None:
        return None
    from trainer.evaluation import judging  # PyTorch comes with it

    try:
        heard = judging.read(batch / one.verdict / one.file)
    except judging.UnusableClipError:
        return None
    return picture.mel(heard.mono, heard.sample_rate) if len(heard.mono) else None


def _remove_others(folder: Path, written: set[str]) -> None:
    if not folder.is_dir():
        return
    try:
        for path in folder.glob("*.flac.png"):
            if path.name not in written:
                path.unlink()
    except OSError as error:
        raise unwritable(folder, error) from error
    if not written:
        with contextlib.suppress(OSError):  # something else lies in it
            folder.rmdir()
