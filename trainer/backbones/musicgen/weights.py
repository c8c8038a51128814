"""The pre-seeded folder with MusicGen's weights, judged file by file before torch or transformers see it.

Only safetensors are read: a pickle can run code, and nothing here would load one. Every refusal names the file, what is wrong with it and
the command that puts the weights in place.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import RuntimeSetupError
from trainer.files import hash_record, plain_file
from trainer.files.lfs_pointer import HEAD_BYTES, pointer_oid
from trainer.files.plain_file import PlainFileError

PLAIN_FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")
WEIGHTS_FILE, INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "state_dict.bin")
MODEL_CARD = "README.md"
PARTS = ("text_encoder.", "audio_encoder.", "decoder.")
SAMPLE_RATE = 32_000

_MAX_TEXT_BYTES = 64 * 2**20
_BLOCK = re.compile(r"decoder\.model\.decoder\.layers\.(\d{1,4})\.")
_BLOCKS = 24  # MusicgenDecoderConfig's default, which an older transformers leaves out of config.json


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFolder:
    """A folder that holds a whole model; `sha256` by file name."""

    directory: Path
    sha256: Mapping[str, str]

    @property
    def identity(self) -> str:
        """One digest of all files that the model depends on."""
        return hashlib.sha256(
            "".join(f"{self.sha256[name]}  {name}\n" for name in sorted(self.sha256)).encode()
        ).hexdigest()


def inspect(directory: Path) -> WeightsFolder:
    """Judge `directory`; raises RuntimeSetupError.

    Causes: weights_missing, weights_lfs_pointer, weights_truncated, weights_wrong_model, weights_hash_mismatch.
    """
    check(directory)
    names = (*PLAIN_FILES, *_weight_files(directory))
    digests = {name: plain_file.sha256_through_links(directory / name) for name in names}
    _verify_hash_record(directory, digests)
    return WeightsFolder(directory=directory, sha256=digests)


def check(directory: Path) -> None:
    """`inspect` without the hashes: what a few reads can tell."""
    if not directory.is_dir():
        raise _refuse(f"{directory} is not a folder", directory, cause="weights_missing")
    documents = {name: _document(directory, name) for name in PLAIN_FILES}
    _check_architecture(directory, documents["config.json"])
    keys: set[str] = set()
    for name in _weight_files(directory):
        _refuse_stub(directory, name)
        keys |= _tensor_names(directory, name)
    absent = [part for part in PARTS if not any(key.startswith(part) for key in keys)]
    if absent:
        raise _refuse(
            f"the weights have no {' and no '.join(absent).replace('.', '')}", directory, cause="weights_wrong_model"
        )
    _check_blocks(directory, documents["config.json"]["decoder"], keys)


def model_card(directory: Path) -> str:
    """The beginning of the model card, empty where there is none."""
    try:
        with os.fdopen(plain_file.descriptor_through_links(directory / MODEL_CARD), "rb") as file:
            return file.read(8192).decode("utf-8", "replace")
    except PlainFileError:
        return ""


def preseeding(directory: Path) -> str:
    """How the weights get into `directory`, which itself has no network."""
    return (
        "on a machine with network run: hf download facebook/musicgen-small --exclude '*.bin' --local-dir musicgen-small,"
        f" then copy that folder to {directory}"
    )


def _refuse(problem: str, directory: Path, *, cause: str) -> RuntimeSetupError:
    return RuntimeSetupError(f"{problem}; {preseeding(directory)}", cause=cause)


def _refuse_stub(directory: Path, name: str) -> None:
    """Raise for a file that is missing, empty or only a Git LFS pointer."""
    try:
        with os.fdopen(plain_file.descriptor_through_links(directory / name), "rb") as file:
            head = file.read(HEAD_BYTES)
    except PlainFileError as error:
        raise _refuse(f"{directory / name}: {error}", directory, cause="weights_missing") from error
    if pointer_oid(head) is not None:
        raise _refuse(f"{directory / name} is only a Git LFS pointer", directory, cause="weights_lfs_pointer")
    if not head:
        raise _refuse(f"{directory / name} is empty", directory, cause="weights_truncated")


def _document(directory: Path, name: str) -> dict[str, Any]:
    _refuse_stub(directory, name)
    path = directory / name
    try:
        value = json.loads(path.read_bytes() if path.stat().st_size <= _MAX_TEXT_BYTES else b"")
    except (OSError, ValueError, RecursionError) as error:
        raise _refuse(f"{path} is not whole JSON", directory, cause="weights_truncated") from error
    if not isinstance(value, dict):
        raise _refuse(f"{path} is not a JSON object", directory, cause="weights_wrong_model")
    return value


def _weight_files(directory: Path) -> tuple[str, ...]:
    """Names of the safetensors files: one, or those of the index."""
    if (directory / WEIGHTS_FILE).exists() or not (directory / INDEX_FILE).exists():
        _explain_pickles(directory)
        return (WEIGHTS_FILE,)
    files = _document(directory, INDEX_FILE).get("weight_map")
    names = sorted(set(files.values())) if isinstance(files, dict) and files else []
    if not names or not all(
        isinstance(name, str) and name.endswith(".safetensors") and Path(name).name == name for name in names
    ):
        raise _refuse(f"{directory / INDEX_FILE} names no weight files", directory, cause="weights_wrong_model")
    return (INDEX_FILE, *names)


def _explain_pickles(directory: Path) -> None:
    pickles = [name for name in PICKLED if (directory / name).exists()]
    if pickles and not (directory / WEIGHTS_FILE).exists():
        raise _refuse(
            f"{directory / WEIGHTS_FILE} is missing ({', '.join(pickles)}: pickled weights are never read)",
            directory,
            cause="weights_missing",
        )


def _check_architecture(directory: Path, config: Mapping[str, Any]) -> None:
    """Mono MusicGen over EnCodec at 32 kHz; raises RuntimeSetupError(weights_wrong_model)."""
    kind = config.get("model_type")
    if kind != "musicgen":
        raise _refuse(
            f"the weights are a {str(kind)[:40]!r} model, not 'musicgen'", directory, cause="weights_wrong_model"
        )
    parts = {
        name: config.get(name) if isinstance(config.get(name), dict) else {}
        for name in ("text_encoder", "audio_encoder", "decoder")
    }
    found = {
        "text_encoder.model_type": (parts["text_encoder"].get("model_type"), "t5"),
        "audio_encoder.model_type": (parts["audio_encoder"].get("model_type"), "encodec"),
        "audio_encoder.sampling_rate": (parts["audio_encoder"].get("sampling_rate"), SAMPLE_RATE),
        "decoder.audio_channels": (parts["decoder"].get("audio_channels", 1), 1),
    }
    for key, (value, expected) in found.items():
        if value != expected:
            raise _refuse(
                f"config.json says {key} = {str(value)[:40]!r}, not {expected!r}",
                directory,
                cause="weights_wrong_model",
            )


def _check_blocks(directory: Path, decoder: Mapping[str, Any], keys: Iterable[str]) -> None:
    """The decoder's blocks are as many as its config says; transformers would drop further ones without a word."""
    found = {int(match[1]) for match in map(_BLOCK.match, keys) if match}
    expected = decoder.get("num_hidden_layers", _BLOCKS)
    if found != set(range(expected if type(expected) is int else 0)):
        problem = f"the weights have {len(found)} decoder blocks, config.json says {str(expected)[:40]}"
        raise _refuse(problem, directory, cause="weights_wrong_model")


def _tensor_names(directory: Path, name: str) -> set[str]:
    """Names in a safetensors file whose header fits its size; an index has none of its own."""
    if name == INDEX_FILE:
        return set()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(directory / name, framework="numpy") as file:
            return set(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        problem = f"{directory / name} is cut off or damaged ({' '.join(str(error).split())[:120]})"
        raise _refuse(problem, directory, cause="weights_truncated") from error


def _verify_hash_record(directory: Path, digests: Mapping[str, str]) -> None:
    """Where somebody left the hashes of the files (`sha256sum * > SHA256SUMS`), all of them are listed there and equal."""
    path = directory / hash_record.NAME
    if not path.exists():
        return
    problem = hash_record.disagreement(path.read_text(encoding="utf-8", errors="replace"), digests)
    if problem:
        raise _refuse(f"{directory}/{problem}", directory, cause="weights_hash_mismatch")
