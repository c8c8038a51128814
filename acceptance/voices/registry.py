"""Which version of a voice is in use: records below `voices/<name>/` in the workspace, small enough for git.

    voices/dottie/current.json             the version in use; replaced whole
    voices/dottie/versions/<sha256>.json   what each promoted version was promoted on
    voices/dottie/versions/<sha256>.sig    its signature, where somebody signed it
    voices/dottie/history.jsonl            every promotion and every step back, oldest first
    voices/dottie/voice.toml               the speaker's consent, where it is not beside the recording

The checkpoints themselves stay in the store of kept voices. A writer that dies has changed nothing before `current.json` is replaced.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.record import ledger
from trainer.files import plain_file, portable_path, strict_json, typed_json
from trainer.files.atomic_file import write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.files.printable import quoted

REGISTRY = Path("voices")
"""In the workspace."""
SCHEMA = "promoted_voice/1"
PROMOTED, ROLLED_BACK = "promoted", "rolled back"
_EVENT = "promotion/1"
_MAX_BYTES = 4 * 2**20
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotedVoice:
    """What one version was promoted on."""

    checkpoint_sha256: str
    run_id: str
    """Of its scorecard."""
    promoted: str
    """UTC, as 2026-01-02T03:04:05Z."""
    score: float
    grade: str
    evaluation_sha256: str
    policy_sha256: str
    manifest_sha256: str | None
    pins: Mapping[str, str]
    consent: Mapping[str, str]
    """Speaker, dates, scope and licences as the record said them, by name."""
    before: str | None
    """SHA-256 of the version that it took the place of."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEvent:
    """One line of the history."""

    event: str
    checkpoint_sha256: str
    at: str
    before: str | None


def folder(workspace: Path, name: str) -> Path:
    """Where a voice's records lie; raises HarnessError(voice_name_invalid) for a name that is no plain folder name."""
    if portable_path.problem(name) or "/" in name or name.startswith("."):
        raise HarnessError(
            f"{quoted(name)} cannot name a voice; take letters, digits, - and _: --name NAME",
            cause="voice_name_invalid",
        )
    return workspace / REGISTRY / name


def current(workspace: Path, name: str) -> PromotedVoice | None:
    """The version in use; None where nothing was promoted. Raises HarnessError(registry_invalid)."""
    path = folder(workspace, name) / "current.json"
    document = _read(path)
    if document is None:
        return None
    sha256 = document.get("checkpoint_sha256")
    if document.get("schema") != SCHEMA or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise _invalid(path, "it is no record of this program")
    return promoted(workspace, name, sha256)


def all_in_use(workspace: Path) -> dict[str, str]:
    """SHA-256 of each version in use -> the name of its voice; raises HarnessError(registry_invalid)."""
    names = sorted(path.parent.name for path in (workspace / REGISTRY).glob("[!.]*/current.json"))
    found = {name: current(workspace, name) for name in names}
    return {version.checkpoint_sha256: name for name, version in found.items() if version is not None}


def promoted(workspace: Path, name: str, sha256: str) -> PromotedVoice:
    """What a version was promoted on; raises HarnessError(registry_invalid) where that is unknown."""
    path = _version_path(workspace, name, sha256)
    document = _read(path)
    if document is None:
        raise _invalid(path, "it is missing")
    try:
        found: PromotedVoice = typed_json.build(
            PromotedVoice, {key: part for key, part in document.items() if key != "schema"}
        )
    except ValueError as error:
        raise _invalid(path, str(error)) from error
    if document.get("schema") != SCHEMA or found.checkpoint_sha256 != sha256:
        raise _invalid(path, "it is the record of another version")
    return found


def holds(workspace: Path, name: str, sha256: str) -> bool:
    """Whether this version was promoted before."""
    return _version_path(workspace, name, sha256).is_file()


def history(workspace: Path, name: str) -> list[RegistryEvent]:
    """Every promotion and step back, oldest first; a line that does not hold is left out."""
    found = []
    for line in ledger.read(folder(workspace, name) / "history.jsonl").lines:
        if line.value.get("schema") != _EVENT:
            continue
        with contextlib.suppress(ValueError):
            found.append(
                typed_json.build(RegistryEvent, {key: part for key, part in line.value.items() if key != "schema"})
            )
    return found


def put(workspace: Path, name: str, voice: PromotedVoice, *, event: str = PROMOTED) -> None:
    """Make a version the one in use. Call it while holding the workspace's lock; raises as `ledger.append`."""
    path = _version_path(workspace, name, voice.checkpoint_sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, strict_json.readable({"schema": SCHEMA, **asdict(voice)}))
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    before = _read(folder(workspace, name) / "current.json") or {}
    line = RegistryEvent(
        event=event, checkpoint_sha256=voice.checkpoint_sha256, at=at, before=before.get("checkpoint_sha256")
    )
    ledger.append(
        folder(workspace, name) / "history.jsonl",
        {"schema": _EVENT, **asdict(line)},
        known=lambda lines: _unfinished(lines, line),
    )
    document = {"schema": SCHEMA, "checkpoint_sha256": voice.checkpoint_sha256, "since": at}
    write_atomically(folder(workspace, name) / "current.json", strict_json.readable(document))


def _unfinished(lines: Any, line: RegistryEvent) -> Any:
    """The last line, where a writer died after it: it says the same, and `current.json` was never replaced."""
    last = lines[-1] if lines else None
    same = last is not None and all(
        last.value.get(key) == getattr(line, key) for key in ("event", "checkpoint_sha256", "before")
    )
    return last if same else None


def signature_path(workspace: Path, name: str, sha256: str) -> Path:
    """Where the signature of a promoted version lies."""
    return _version_path(workspace, name, sha256).with_suffix(".sig")


def _version_path(workspace: Path, name: str, sha256: str) -> Path:
    return folder(workspace, name) / "versions" / f"{sha256}.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = strict_json.loads(plain_file.read(path, limit=_MAX_BYTES))
    except PlainFileError as error:
        if error.cause in ("missing", "no_directory"):
            return None
        raise _invalid(path, str(error)) from error
    except ValueError as error:
        raise _invalid(path, str(error)) from error
    if not isinstance(document, dict):
        raise _invalid(path, "it is no object")
    return document


def _invalid(path: Path, problem: str) -> HarnessError:
    return HarnessError(f"{path}: {problem}; restore it, for example from git", cause="registry_invalid")
