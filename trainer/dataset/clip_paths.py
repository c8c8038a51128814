"""Where the clips of a table lie: from a name as people write it to a file of the folder, and never out of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from trainer.dataset.clip_listing import Listing, tree
from trainer.dataset.clip_names import AUDIO_SUFFIXES, CLIP_FOLDERS, clip_id, folded, is_audio, stem
from trainer.errors import DataError

_DRIVE = re.compile(r"[A-Za-z]:/")
_NAMED = 3


def places_of(name: str, root: Path) -> tuple[list[list[str]], str]:
    """Where a name of a table may lie below the folder, part by part; what stands before the folder's own name is left out."""
    written = name.replace("\\", "/")
    parts = [part for part in written.split("/") if part not in ("", ".")]
    if ".." in parts:
        return [], f"{name!r} leads out of the folder by '..'"
    absolute = written.startswith("/") or bool(_DRIVE.match(written))
    own = {folded(path.name) for path in (root.absolute(), root.resolve())}
    behind = [parts[index + 1 :] for index, part in enumerate(parts[:-1]) if folded(part) in own]
    places = [place for place in ([] if absolute else [parts]) + behind if place]
    return places, "" if places else f"{name!r} is not in the folder of the table; write its path there"


def spelled(root: Path, wanted: set[str], above: str = "") -> Iterator[str]:
    """The folders below a folder that are wanted, as they are spelled there, parents first; links are not followed."""
    try:
        with os.scandir(root / above) as entries:
            below = sorted(
                (entry.name, entry.is_symlink())
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir()
            )
    except OSError:
        return  # listing it says why
    for name, link in below:
        path = joined(above, name)
        if folded(path) in wanted:
            yield path
        if not link and any(each.startswith(f"{folded(path)}/") for each in wanted):
            yield from spelled(root, wanted, path)


def joined(folder: str, name: str) -> str:
    """A path in a folder, which may be the root."""
    return "/".join(part for part in (folder, name) if part not in ("", "."))


class Finder:
    """Audio files of a listing by name, in any case and form of accents, also those that are refused for themselves."""

    def __init__(self, listing: Listing) -> None:
        self._root = listing.root
        self._paths = {folded(path): path for path in (*listing.refused, *listing.files) if is_audio(path)}

    def paths(self, places: Sequence[Sequence[str]]) -> list[str]:
        """The files that the first place means under which there are any."""
        for place in places:
            name = "/".join(place)
            names = [name] if is_audio(name) else [name + suffix for suffix in AUDIO_SUFFIXES]
            wanted = (folded(joined(usual, each)) for usual in CLIP_FOLDERS for each in names)
            found = [self._paths[each] for each in dict.fromkeys(wanted) if each in self._paths]
            if found:
                return found
        return []

    def near(self, name: str) -> str:
        """What lies there instead."""
        wanted = folded(clip_id(name).rpartition("/")[2])
        same = [path for path in self._all if folded(stem(path).rpartition("/")[2]) == wanted]
        listed = ", ".join((same or self._all)[:_NAMED])
        if not listed:
            return "no audio file lies there"
        return (
            f"{listed} is there: write its path"
            if same
            else f"there are {listed}{' …' if len(self._all) > _NAMED else ''}"
        )

    @cached_property
    def _all(self) -> list[str]:
        try:
            return tree(self._root).audio
        except DataError:
            return []
