"""Settings of one objective: command line > environment > objective file > defaults, merged into one frozen dataclass.

An objective is a TOML file (`acceptance/objectives/<name>.toml`, or any path). Each key may be overridden by `--set key=value` or by an
environment variable `VOICE_<KEY>`; keys of a table (`env`, `build_args`) are written `env.NAME=value` or `VOICE_ENV__NAME`.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError

from acceptance.objectives import bounds, output_folders
from trainer.backbones import FORMATS
from trainer.job.contract import Variable

OBJECTIVES = Path(__file__).parent / "objectives"
PROJECT_ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_BYTES = 2**20
MAX_DEPTH = 16
DEFAULT_RECOGNISER: Literal["pocketsphinx"] = "pocketsphinx"


class SettingsError(ValueError):
    """A setting cannot be used; the message names where it came from, the key and what is expected."""


def _relative(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.parts or not text.isprintable():
        raise ValueError("must be a printable path inside the workspace, relative to it, without '..'")
    return str(path)


def _gpus(text: str) -> str:
    if text not in ("", "all") and not re.fullmatch("[1-9][0-9]{0,2}", text):
        raise ValueError("must be empty, 'all' or a number of GPUs from 1 to 999")
    return text


RelativePath = Annotated[str, AfterValidator(_relative)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One objective, complete. Paths are relative to the workspace unless said otherwise."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    runtime: Literal["docker", "process", "auto"] = "docker"
    """`auto`: Docker where a daemon answers, else the process runtime."""

    audio: RelativePath
    audio_rendered: str = ""
    """Whether it is the demonstration recording, which `voice demo-recording` makes."""
    manifest: RelativePath
    status: RelativePath
    checkpoint: RelativePath
    min_audio_bytes: Annotated[int, bounds.within("min_audio_bytes", whole=True)] = 5_000_000
    """The recording must be strictly larger."""
    max_audio_hours: Annotated[float, bounds.within("max_audio_hours")] = 24.0
    """A longer recording is refused before it is decoded."""

    image: str = "casimir-voice-train:latest"
    dockerfile: RelativePath = "docker/voice-train/Dockerfile"
    """Relative to the build context."""
    context: str = ""
    """Directory of the build context; empty: this project."""
    build_args: Mapping[str, str] = field(default_factory=dict)
    build_deadline_s: Annotated[float, bounds.within("build_deadline_s")] = 1800.0

    mount_point: str = "/workspace/casimirbot-"
    mount: Literal["outputs", "workspace"] = "outputs"
    """`outputs`: workspace read-only, only the output directories writable; `workspace`: all of it writable."""
    transfer: Literal["auto", "bind", "volume"] = "auto"
    """`bind`: the engine mounts the folders; `volume`: they are copied to it and back; `auto`: `volume` for an engine elsewhere."""
    command: tuple[str, ...] = ()
    """Replaces the image's command when not empty."""
    env: Mapping[str, str] = field(default_factory=dict)
    gpus: Annotated[str, AfterValidator(_gpus)] = ""
    """`all`, a number, or empty for none."""
    memory: Annotated[str, bounds.size_within("memory")] = "8g"
    shm: Annotated[str, bounds.size_within("shm")] = "256m"
    pids_limit: Annotated[int, bounds.within("pids_limit", whole=True)] = 512
    user: str = ""
    """`uid:gid` inside the container; empty: the invoking user."""
    train_deadline_s: Annotated[float, bounds.within("train_deadline_s")] = 3600.0
    seed: Annotated[int, bounds.within("seed", whole=True)] = 0
    threads: Annotated[int, bounds.within("threads", whole=True)] = 2

    protected: tuple[RelativePath, ...] = ()
    """Besides the recording: paths whose content the run must leave as it is."""
    backbone: Literal["natural", "vocoder", "musicgen-small"] = "natural"
    """What learns the voice: see trainer.backbones."""
    weights: RelativePath | Literal[""] = ""
    """Folder in the workspace with pre-seeded weights, for the backbone that needs some."""
    recogniser: Literal["pocketsphinx", "whisper", "auto"] = DEFAULT_RECOGNISER
    """What hears the words of a recording: see trainer.preparation.recognisers."""
    recogniser_weights: RelativePath | Literal[""] = ""
    """Folder in the workspace with whisper's weights; empty: those of the wheelhouse's set."""
    recogniser_sha256: str = ""
    """Digest that these weights must have; empty accepts any."""
    weights_licence: str = ""
    """Their licence as this objective accepts it, by its SPDX name."""
    allow_promotion: bool = False
    """Whether a voice may be promoted in spite of a licence that forbids commercial use."""
    checkpoint_format: str = ""
    """What the checkpoint must call itself (default: the backbone's); another one cannot be measured on the host."""
    max_checkpoint: Annotated[str, bounds.size_within("max_checkpoint")] = "1g"
    """A larger checkpoint is refused unread."""
    remeasure: bool = True
    """Measure the learning proof again on the host; `false` only for formats that this project cannot run: their claims are then believed."""

    def __post_init__(self) -> None:
        """Outputs keep out of each other's way and of the recording's; raises ValueError."""
        outputs = (self.manifest, self.status, self.checkpoint)
        if len({PurePosixPath(path).name for path in outputs}) < len(outputs):
            raise ValueError("manifest, status and checkpoint need different file names")
        if self.recogniser == DEFAULT_RECOGNISER and (self.recogniser_weights or self.recogniser_sha256):
            raise ValueError(
                f"recogniser_weights and recogniser_sha256 are whisper's, but recogniser is {DEFAULT_RECOGNISER}; set recogniser = whisper"
            )
        if self.audio in outputs:
            raise ValueError("audio must not be one of the outputs")
        if self.transfer == "volume" and self.mount == "workspace":
            raise ValueError("transfer = volume copies only the output directories back: it needs mount = outputs")
        if not self.checkpoint_format:
            object.__setattr__(self, "checkpoint_format", FORMATS[self.backbone])

    def output_dirs(self) -> tuple[str, ...]:
        """The directories that the job writes, without duplicates, sorted."""
        return tuple(
            sorted({str(PurePosixPath(path).parent) for path in (self.manifest, self.status, self.checkpoint)})
        )

    def context_dir(self) -> Path:
        """Absolute directory of the build context."""
        return Path(self.context).resolve() if self.context else PROJECT_ROOT


_KEYS = tuple(item.name for item in fields(Settings))
_TABLES = ("env", "build_args")
_CLOSE = 0.8
"""Likeness from which a variable's name counts as a slip; the trainer's own are all further from the keys."""


def parse_size(text: str) -> int:
    """Bytes of `512m`, `8g`, `1048576`."""
    try:
        return bounds.size(text)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def objective_path(name: str) -> Path:
    """The TOML file of an objective, given by name or by path; raises SettingsError naming the known ones."""
    path = OBJECTIVES / f"{name}.toml" if re.fullmatch(r"[\w-]+", name) else Path(name)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in OBJECTIVES.glob("*.toml")))
        raise SettingsError(
            f"objective {name!r}: no file {path.name}; known objectives: {known}; or give the path of a .toml file"
        )
    return path


def load(objective: str, *, overrides: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> Settings:
    """Settings of `objective` with `environ` (default: os.environ) and `overrides` (`key=value`) on top; raises SettingsError."""
    path = objective_path(objective)
    values = _document(path)
    origin = {key: str(path) for key in values}
    values.setdefault("name", path.stem)
    for key, text, where in [
        *_from_environment(os.environ if environ is None else environ),
        *_from_overrides(overrides),
    ]:
        try:
            _assign(values, key, text)
        except ValueError as error:
            raise SettingsError(f"{where}: {error}") from error
        origin[key.partition(".")[0]] = where
    try:
        return TypeAdapter(Settings).validate_python(values)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            key = ".".join(map(str, problem["loc"]))
            place = [origin.get(key.partition(".")[0], str(path)), *([key] if key else [])]
            unknown = problem["type"] == "unexpected_keyword_argument"
            lines.append(
                ": ".join([*place, _unknown_key(key) if unknown else problem["msg"].removeprefix("Value error, ")])
            )
        raise SettingsError("; ".join(lines)) from error


def _document(path: Path) -> dict[str, Any]:
    """The objective's file as TOML of bounded size and depth; raises SettingsError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise SettingsError(f"{path}: has more than {MAX_FILE_BYTES} bytes; an objective is a short list of keys")
        text = data.decode("utf-8")
        problem = bounds.long_number(text)
        if problem is not None:
            raise SettingsError(f"{path}: {problem}")
        values = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}; give a readable .toml file") from error
    except SettingsError:
        raise
    except ValueError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    except RecursionError:
        values = None
    if values is None or bounds.is_deeper(values, MAX_DEPTH):
        raise SettingsError(f"{path}: nested deeper than {MAX_DEPTH} levels; no key of an objective is deeper than 2")
    return values


def check_folders(settings: Settings, workspace: Path) -> None:
    """Raises SettingsError if an output folder of `settings` leads into or above what the job must not rewrite."""
    outputs = {name: getattr(settings, name) for name in output_folders.OUTPUTS}
    found = output_folders.conflict(outputs, settings.audio, settings.protected, workspace, PROJECT_ROOT)
    if found is not None:
        raise SettingsError(": ".join(found))


def misspelt_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """A warning for each variable of `environ` (default: os.environ) that overrides nothing and looks as if it should."""
    environ = os.environ if environ is None else environ
    used = {where.rpartition(" ")[2] for _, _, where in _from_environment(environ)}
    found = []
    for variable in sorted(environ):
        head, separator, tail = variable.removeprefix("VOICE_").partition("__")
        near = (
            difflib.get_close_matches(head.lower(), _KEYS, n=1, cutoff=_CLOSE) if variable.startswith("VOICE_") else []
        )
        if near and variable not in used and variable not in set(Variable):
            meant = f"VOICE_{near[0].upper()}" + (separator + tail if near[0] in _TABLES else "")
            found.append(
                f"environment variable {variable} is no key of the objective and changes nothing; did you mean {meant}?"
            )
    return found


def _unknown_key(key: str) -> str:
    near = difflib.get_close_matches(key.partition(".")[0].lower(), _KEYS, n=1)
    return "no such key; " + (f"did you mean {near[0]}?" if near else f"the keys are {', '.join(_KEYS)}")


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    found = []
    for variable in sorted(environ):
        if not variable.startswith("VOICE_"):
            continue
        head, separator, tail = variable.removeprefix("VOICE_").partition("__")
        if head.lower() in _KEYS and (not separator or head.lower() in _TABLES):
            key = head.lower() + (f".{tail}" if separator else "")
            found.append((key, environ[variable], f"environment variable {variable}"))
    return found


def _from_overrides(overrides: Sequence[str]) -> list[tuple[str, str, str]]:
    found = []
    for text in overrides:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise SettingsError(f"--set {text!r}: expected key=value")
        found.append((key, value, f"--set {key}"))
    return found


def _assign(values: dict[str, Any], key: str, text: str) -> None:
    head, _, tail = key.partition(".")
    if tail:
        table = values.setdefault(head, {})
        if not isinstance(table, dict):
            raise SettingsError(f"{key}: {head} is not a table")
        values[head] = {**table, tail: text}
    elif head in ("command", "protected"):
        values[head] = tuple(shlex.split(text))
    elif head in _TABLES:
        raise SettingsError(f"{head} is a table: set one entry, {head}.NAME=value")
    else:
        values[head] = text
