"""A neutral objective for a person's recording: named after the file, with output folders of its own."""

from __future__ import annotations

import re
import shlex
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from acceptance.evidence import recording
from acceptance.failure import DataBlocked, HarnessError
from acceptance.objective import OBJECTIVES, Settings, SettingsError, check_folders, load
from trainer.audio import recording as audio
from trainer.files.atomic_file import write_atomically

FOLDER = "trained"
"""In the workspace: every objective that this module writes has a folder in it."""
_LONGEST_NAME = 40
_TEMPLATE = """\
# The voice of {audio}. Every key that may stand here: acceptance/objective.py; `--set key=value` changes one for a run.
name = "{name}"
runtime = "auto" # Docker where a daemon answers, else a subprocess; "docker" insists

audio = "{audio}"
manifest = "{folder}/dataset/voice_dataset_manifest.json"
status = "{folder}/status/train_status.json"
checkpoint = "{folder}/checkpoint/{name}.pt"
min_audio_bytes = {least} # half of the file as it was: a cut copy or a pointer is smaller

image = "voice-train:latest"
dockerfile = "docker/voice-train/Dockerfile"
mount_point = "/workspace/voice"

seed = 0
threads = 2
protected = ["acceptance", "docker/voice-train", "trainer", "conftest.py", "pyproject.toml", ".git/config", ".git/hooks"]
"""


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
    name = _checked(name if name is not None else _name_of(given), given, asked=name is not None)
    relative = _inside(workspace, given)
    found = _looked_at(workspace, relative, least_s)
    path = workspace / f"{name}.toml"
    if path.exists() or path.is_symlink():
        raise HarnessError(
            f"{path} exists; run it, or choose another name: voice init {_word(given)} --name {name}_2",
            cause="output_exists",
        )
    text = _TEMPLATE.format(name=name, audio=relative, folder=f"{FOLDER}/{name}", least=found.bytes // 2)
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


def _name_of(given: Path) -> str:
    """The file's stem in small letters, digits and underscores: `Señora Übel (2).flac` is `senora_ubel_2`."""
    plain = unicodedata.normalize("NFKD", given.stem).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST_NAME].strip("_")


def _checked(name: str, given: Path, *, asked: bool) -> str:
    if not re.fullmatch(f"[a-z0-9][a-z0-9_-]{{0,{_LONGEST_NAME - 1}}}", name):
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
    if not str(relative).isprintable() or '"' in str(relative) or "\\" in str(relative):
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
