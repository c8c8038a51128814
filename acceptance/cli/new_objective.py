"""A neutral objective for a person's recording: named after the file, with output folders of its own."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from acceptance.evidence import recording
from acceptance.failure import DataBlocked, HarnessError
from acceptance.objective import OBJECTIVES, Settings, SettingsError, check_folders, load
from acceptance.objectives import for_recording
from trainer.audio import recording as audio
from trainer.files.atomic_file import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObjective:
    """A written objective and what was found in its recording."""

    path: Path
    name: str
    audio: str
    """Relative to the workspace."""
    seconds: float
    """By the header; 0 if it does not tell."""
    sample_rate: int
    channels: int
    checkpoint: str


def write(workspace: Path, given: Path, *, name: str | None, least_s: float) -> NewObjective:
    """Look at a recording and write `<name>.toml` in the workspace; never over a file.

    Raises HarnessError: the causes of a recording that cannot be used, too_little_speech below `least_s`, settings_invalid for a name that
    cannot be used, output_exists.
    """
    name = _checked(name if name is not None else for_recording.name_of(given.stem), given, asked=name is not None)
    relative = _inside(workspace, given)
    found = _looked_at(workspace, relative, least_s)
    path = workspace / f"{name}.toml"
    if path.exists() or path.is_symlink():
        raise HarnessError(
            f"{path} exists; run it, or choose another name: voice init {_word(given)} --name {name}_2",
            cause="output_exists",
        )
    text = for_recording.text(name=name, audio=relative, audio_bytes=found.bytes)
    write_atomically(path, text.encode())
    try:
        settings = load(str(path), environ={})
        check_folders(settings, workspace)
    except SettingsError as error:
        path.unlink()
        raise HarnessError(f"the objective of {given} would not hold: {error}", cause="settings_invalid") from error
    return _result(path, settings, found)


def _result(path: Path, settings: Settings, found: audio.Recording) -> NewObjective:
    return NewObjective(
        path=path, name=settings.name, audio=settings.audio, seconds=found.announced_s, sample_rate=found.sample_rate,
        channels=found.channels, checkpoint=settings.checkpoint,
    )  # fmt: skip


def _checked(name: str, given: Path, *, asked: bool) -> str:
    if not re.fullmatch(f"[a-z0-9][a-z0-9_-]{{0,{for_recording.LONGEST_NAME - 1}}}", name):
        why = f"{name!r} is no name" if asked else f"no name can be made of {given.name!r}"
        raise HarnessError(
            f"{why}; give one of small letters, digits, dashes and underscores: voice init {_word(given)} --name my_voice",
            cause="settings_invalid",
        )
    if (OBJECTIVES / f"{name}.toml").exists():
        raise HarnessError(
            f"{name} is an objective of this project; give another name: voice init {_word(given)} --name my_voice",
            cause="settings_invalid",
        )
    return name


def _word(path: Path | str) -> str:
    """A path for a command that can be pasted."""
    return shlex.quote(str(path))


def _inside(workspace: Path, given: Path) -> str:
    """The recording's path relative to the workspace, which is all that a job sees; raises HarnessError."""
    root, path = workspace.resolve(), (given.parent.resolve() / given.name)
    if not path.exists() and not path.is_symlink():
        raise HarnessError(
            f"{given}: there is no such file; give your recording (FLAC, WAV, OGG or MP3)", cause="audio_missing"
        )
    if not path.is_relative_to(root):
        raise HarnessError(
            f"{given} lies outside of the workspace {workspace}, and a job sees nothing else; copy it: "
            f"cp {_word(given)} {_word(workspace / given.name)} && voice init {_word(given.name)}", cause="audio_not_regular",
        )  # fmt: skip
    relative = PurePosixPath(path.relative_to(root).as_posix())
    if not for_recording.can_hold(str(relative)):
        raise HarnessError(
            f"{str(relative)!r}: the name holds signs that no objective can hold; rename the file",
            cause="audio_not_regular",
        )
    return str(relative)


def _looked_at(workspace: Path, relative: str, least_s: float) -> audio.Recording:
    """Its header, quickly: nothing is decoded; raises HarnessError with the cause that a run would name."""
    try:
        source = recording.find(workspace.resolve(), relative)
        recording.check_not_lfs_pointer(source)
    except DataBlocked as error:
        raise HarnessError(f"{error}; give the recording itself, a regular file", cause=error.cause) from error
    found = audio.inspect(source.path)
    if 0.0 < found.announced_s < least_s:
        raise HarnessError(
            f"{relative} lasts {found.announced_s:.1f} s; a voice needs {least_s:g} s of clear speech and gets good with two to three minutes: "
            "record more", cause="too_little_speech",
        )  # fmt: skip
    return found
