"""The weight files that come with the package, each held to its SHA-256 in `hashes.json` beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trainer.errors import RuntimeSetupError
from trainer.files import checkpoint, plain_file, strict_json
from trainer.files.checkpoint import CheckpointError
from trainer.models import aligner
from trainer.models.aligner import Aligner

FOLDER = Path(__file__).with_name("shipped")
HASHES = "hashes.json"
ALIGNER = "aligner.pt"
VERSION = 1
"""Of every format here."""
HELP = "install the package again"


def load_aligner() -> Aligner:
    """The shipped aligner; raises RuntimeSetupError(weights_invalid)."""
    return aligner.load_aligner(FOLDER / ALIGNER)


def document(name: str, form: str, folder: Path = FOLDER) -> dict[str, Any]:
    """A weight file whose SHA-256 is the listed one; raises RuntimeSetupError(weights_missing_offline | weights_corrupt)."""
    path = folder / name
    try:
        found, sha256 = checkpoint.read_with_sha256(path)
    except CheckpointError as error:
        cause = "weights_missing_offline" if error.cause == "missing" else "weights_corrupt"
        raise RuntimeSetupError(f"{path}: {error}; {HELP}", cause=cause) from error
    if sha256 != hashes(folder).get(name):
        raise RuntimeSetupError(f"{path} is not the file that {HASHES} lists; {HELP}", cause="weights_corrupt")
    if found.get("format") != form or found.get("version") != VERSION:
        raise RuntimeSetupError(
            f"{path} is {found.get('format')!s:.60} version {found.get('version')!s:.20}, not {form} version {VERSION}; {HELP}",
            cause="weights_corrupt",
        )
    return found


def hashes(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 by file name; raises RuntimeSetupError(weights_missing_offline | weights_corrupt)."""
    path = folder / HASHES
    try:
        listed = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise RuntimeSetupError(f"{path} is missing; {HELP}", cause="weights_missing_offline") from error
    except (OSError, ValueError) as error:
        raise RuntimeSetupError(f"{path} cannot be read: {error}; {HELP}", cause="weights_corrupt") from error
    if not isinstance(listed, dict):
        raise RuntimeSetupError(f"{path} does not list hashes; {HELP}", cause="weights_corrupt")
    return listed


def write_hashes(folder: Path = FOLDER) -> dict[str, str]:
    """List the weight files of `folder` as they are now; for whoever has just made a base."""
    listed = {path.name: plain_file.sha256(path) for path in sorted(folder.glob("*.pt"))}
    (folder / HASHES).write_bytes(strict_json.readable(listed, ascii_only=True))
    return listed
