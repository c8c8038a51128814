"""The state of an unfinished training: saved atomically every few steps, taken up again after a kill, deleted at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from trainer.files import checkpoint, plain_file, strict_json
from trainer.files.checkpoint import CheckpointError


def take_up(
    path: Path, belongs: Mapping[str, Any], restore: Callable[[dict[str, Any]], None], *, note: Callable[[str], None]
) -> Callable[[dict[str, Any]], None]:
    """Restore what an earlier process of this very run saved at `path`, if anything; gives what saves the next state.

    A state is of this run where `belongs` (settings, seed, data) and the program are the same; `note` gets one line about what is done.
    """
    ours = fingerprint(belongs)
    state, why = load(path, ours)
    if why:
        note(why)
    if state is not None:
        restore(state)
    return lambda value: save(path, ours, value)


def fingerprint(facts: Mapping[str, Any]) -> str:
    """What a state belongs to: `facts` (settings, seed, data), this package's files and torch's version."""
    known = {**facts, "source_sha256": source_sha256(), "torch": torch.__version__}
    return strict_json.digest(known)


@lru_cache
def source_sha256(package: Path = Path(__file__).parents[1]) -> str:
    """Digest over the names and bytes of a package's files: its modules, and its data, which decide results as much. Read once a process."""
    paths = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
    names = sorted(path.as_posix() for path in paths if "__pycache__" not in path.parts)
    listing = "".join(f"{name}\0{plain_file.sha256_through_links(package / name)}\0" for name in names)
    return hashlib.sha256(listing.encode()).hexdigest()


def save(path: Path, fingerprint: str, state: Mapping[str, Any]) -> None:
    """Write `state` (plain containers and tensors) atomically; raises TrainingError where it cannot be written."""
    checkpoint.save(path, {"fingerprint": fingerprint, "state": state})


def load(path: Path, fingerprint: str) -> tuple[dict[str, Any] | None, str]:
    """(state, why): the saved state, or None with the reason why there is none to use."""
    try:
        document = checkpoint.read_container(path)
    except CheckpointError as error:
        return None, "" if error.cause == "missing" else f"the saved state is ignored: {error}"
    if document.get("fingerprint") != fingerprint:
        return None, "the saved state is ignored: it belongs to other data, settings or program versions"
    return document["state"], f"continuing from the saved state at step {document['state']['step']}"


def clear(path: Path) -> None:
    """Delete the state and what killed writers left beside it."""
    path.unlink(missing_ok=True)
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)
