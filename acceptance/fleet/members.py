"""Which voices a folder holds: an objective (`*.toml`) is one, and so is a recording that no objective names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from acceptance.failure import HarnessError
from acceptance.fleet.session_options import SessionOptions
from acceptance.objective import SettingsError, check_folders
from acceptance.objectives import for_recording
from acceptance.objectives.output_folders import OUTPUTS
from trainer.dataset.clip_names import folded, is_audio, shown

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One voice of a fleet."""

    name: str
    """Also of its workspace."""
    source: Path
    """The objective or the recording in the folder."""
    objective: bytes
    """What its workspace's objective says."""
    audio: str
    """Relative to the folder, and to its workspace."""
    weights: str = ""
    """Folder of weights that it needs, relative too."""
    outputs: tuple[str, ...] = ()


def find(folder: Path, options: SessionOptions) -> list[Member]:
    """The voices of a folder, by name; nothing below it is looked at. Raises HarnessError naming every file that cannot take part."""
    objectives, recordings = _files(folder)
    found, problems = [], []
    for path in objectives:
        try:
            found.append(_of_objective(folder, path, options))
        except (SettingsError, HarnessError) as error:
            problems.append(str(error))
    named = {folded(member.audio) for member in found}
    for path in recordings:
        if folded(path.name) not in named and not problems:
            found.append(_of_recording(path))
    problems += [*_twins(found), *_shared_outputs(found)]
    if problems:
        more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        raise HarnessError(
            f"{folder}: {'; '.join(problems[:_NAMED])}{more}. Nothing was started: correct or move what is named, then run again",
            cause="settings_invalid",
        )
    if not found:
        raise HarnessError(
            f"{folder}: no objective (*.toml) and no recording lies in it; write one: voice init RECORDING",
            cause="fleet_empty",
        )
    return sorted(found, key=lambda member: folded(member.name))


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    try:
        names = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise HarnessError(
            f"{folder}: {error.strerror}; name a folder that this user can read", cause="fleet_empty"
        ) from error
    return [path for path in names if path.suffix.lower() == ".toml"], [path for path in names if is_audio(path.name)]


def _of_objective(folder: Path, path: Path, options: SessionOptions) -> Member:
    settings = options.settings(path)
    check_folders(settings, folder)
    if not _NAME.fullmatch(settings.name):
        raise HarnessError(
            f"{path.name}: name: {shown(settings.name)!r} cannot be the name of a folder; use letters, digits, dots, dashes and underscores",
            cause="settings_invalid",
        )
    return Member(
        name=settings.name, source=path, objective=path.read_bytes(), audio=settings.audio, weights=settings.weights,
        outputs=tuple(getattr(settings, key) for key in OUTPUTS),
    )  # fmt: skip


def _of_recording(path: Path) -> Member:
    name = for_recording.name_of(path.stem)
    if not name or not for_recording.can_hold(path.name):
        raise HarnessError(
            f"{path.parent}: no objective can be made for {shown(path.name)!r}; rename the file with plain letters and digits",
            cause="settings_invalid",
        )
    size = path.stat().st_size if path.is_file() else 0
    text = for_recording.text(name=name, audio=path.name, audio_bytes=size)
    return Member(name=name, source=path, objective=text.encode(), audio=path.name)


def _twins(members: Sequence[Member]) -> list[str]:
    """A sentence for each two voices of one name, upper and lower case aside."""
    return [
        f"{first.source.name} and {second.source.name} are both named {second.name}"
        for first, second in _same((folded(member.name), member) for member in members)
    ]


def _shared_outputs(members: Sequence[Member]) -> list[str]:
    """A sentence for each two objectives with one output: in this folder, the second run would replace the first one's."""
    places = [
        (folded(str(PurePosixPath(path))), member) for member in members for path in dict.fromkeys(member.outputs)
    ]
    pairs = dict.fromkeys((first.source.name, second.source.name, place) for first, second, place in _pairs(places))
    return [f"{first} and {second} both write {place}" for first, second, place in pairs]


def _same(keyed: Iterable[tuple[str, Member]]) -> list[tuple[Member, Member]]:
    return [(first, second) for first, second, _ in _pairs(keyed)]


def _pairs(keyed: Iterable[tuple[str, Member]]) -> list[tuple[Member, Member, str]]:
    first: dict[str, Member] = {}
    found = []
    for key, member in keyed:
        other = first.setdefault(key, member)
        if other is not member:
            found.append((other, member, key))
    return found
