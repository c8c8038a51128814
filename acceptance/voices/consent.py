"""The consent record of a speaker: whose voice it is, since when and for what it may be used, and under which licences.

`voice.toml` lies beside the recording, so that it goes where the recording goes.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError
from trainer.files.printable import quoted

NAME = "voice.toml"
SCOPES = ("train", "produce", "promote")
"""What a speaker can allow: to learn from the recording, to make many utterances, to put the voice into use."""
_MAX_BYTES = 2**16
_LONGEST = 2000
_TEXTS = {"speaker": ("name", "evidence"), "recording": ("licence",), "weights": ("licence",)}
_REQUIRED = (("speaker", "name"), ("recording", "licence"), ("weights", "licence"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One record."""

    speaker: str
    consent: datetime.date
    scope: tuple[str, ...]
    recording_licence: str
    weights_licence: str
    expires: datetime.date | None = None
    evidence: str = ""
    path: Path = field(default_factory=Path)
    """Where it was read."""

    def document(self) -> dict[str, Any]:
        """As `--json` and the health check show it."""
        return {
            "file": str(self.path),
            "speaker": self.speaker,
            "consent": self.consent.isoformat(),
            "expires": self.expires and self.expires.isoformat(),
            "scope": list(self.scope),
            "evidence": self.evidence,
            "recording_licence": self.recording_licence,
            "weights_licence": self.weights_licence,
        }

    def problem(self, wanted: str, today: datetime.date) -> str | None:
        """Why this record does not allow `wanted` today; None if it does."""
        if wanted not in self.scope:
            return f"{self.speaker} allows {', '.join(self.scope) or 'nothing'}, not {wanted}"
        if self.consent > today:
            return f"the consent of {self.speaker} begins on {self.consent}"
        if self.expires is not None and self.expires < today:
            return f"the consent of {self.speaker} ended on {self.expires}"
        return None


def read(path: Path) -> Consent:
    """The record in a file; raises HarnessError(consent_missing | consent_invalid) naming the file and the key."""
    try:
        data = plain_file.read_through_links(path, limit=_MAX_BYTES)
        document = tomllib.loads(data.decode("utf-8-sig"))
    except PlainFileError as error:
        cause = "consent_missing" if error.cause in ("missing", "no_directory") else "consent_invalid"
        raise HarnessError(f"{path}: {error}; write one: voice consent init {path}", cause=cause) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number or a nesting without end
        raise _invalid(path, f"not TOML ({error})") from error
    return _checked(path, document)


def find(given: Path | None, folders: tuple[Path, ...]) -> Consent:
    """The record that is named, else that of the first folder which has one; raises HarnessError as `read`."""
    if given is not None:
        return read(given)
    places = [folder / NAME for folder in folders]
    for place in places:
        if place.exists() or place.is_symlink():
            return read(place)
    looked = " nor ".join(dict.fromkeys(map(str, places)))
    raise HarnessError(
        f"there is no consent record: neither --consent FILE nor {looked}; write one: voice consent init {places[0]}",
        cause="consent_missing",
    )


def today() -> datetime.date:
    """The day where this machine is: every command asks a record for the same one."""
    return datetime.datetime.now().astimezone().date()


def require(found: Consent, wanted: str, today: datetime.date) -> None:
    """Raises HarnessError(consent_refused) if the record does not allow `wanted` today."""
    problem = found.problem(wanted, today)
    if problem is not None:
        raise HarnessError(
            f"{found.path}: {problem}; ask the speaker, then write down the new consent in this file",
            cause="consent_refused",
        )


def template(
    *,
    name: str = "",
    consent: datetime.date,
    scope: tuple[str, ...] = ("train",),
    evidence: str = "",
    recording: str = "",
    weights: str = "",
) -> str:
    """The text of a record; empty values are for a person to fill in."""
    said = {key: _toml_text(value) for key, value in
            (("name", name), ("evidence", evidence), ("recording", recording), ("weights", weights))}  # fmt: skip
    listed = ", ".join(f'"{each}"' for each in scope)
    return f"""# Whose voice this is, and what the speaker allows. A production asks for it (docs/production.md).
[speaker]
name = {said["name"]}
consent = {consent.isoformat()} # the day on which the speaker agreed
# expires = {consent.replace(year=consent.year + 5, day=min(consent.day, 28)).isoformat()} # the last day; without it the consent does not end
scope = [{listed}] # of "train", "produce", "promote"
evidence = {said["evidence"]} # where the signed agreement lies

[recording]
licence = {said["recording"]} # for example CC-BY-4.0

[weights]
licence = {said["weights"]} # of the trained voice
"""


def _toml_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _checked(path: Path, document: Mapping[str, Any]) -> Consent:
    known = {
        "speaker": {"name", "consent", "expires", "scope", "evidence"},
        "recording": {"licence"},
        "weights": {"licence"},
    }
    for section, content in document.items():
        if section not in known or not isinstance(content, dict):
            raise _invalid(path, f"{quoted(section)} is no section of a consent record")
        for key in content:
            if key not in known[section]:
                raise _invalid(path, f"{section}.{quoted(key)[1:-1]} is no key of a consent record")
    for section, keys in _TEXTS.items():
        for key in keys:
            text = document.get(section, {}).get(key, "")
            if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
                raise _invalid(path, f"{section}.{key} is no line of text")
    for section, key in _REQUIRED:
        if not document.get(section, {}).get(key, "").strip():
            raise _invalid(path, f"{section}.{key} is not filled in")
    speaker = document["speaker"]
    scope = speaker.get("scope")
    if not isinstance(scope, list) or not all(each in SCOPES for each in scope):
        raise _invalid(path, f"speaker.scope is no list of {', '.join(SCOPES)}")
    return Consent(
        speaker=speaker["name"].strip(),
        consent=_date(path, speaker, "consent"),
        expires=_date(path, speaker, "expires") if "expires" in speaker else None,
        scope=tuple(dict.fromkeys(scope)),
        evidence=speaker.get("evidence", ""),
        recording_licence=document["recording"]["licence"].strip(),
        weights_licence=document["weights"]["licence"].strip(),
        path=path,
    )


def _date(path: Path, speaker: Mapping[str, Any], key: str) -> datetime.date:
    value = speaker.get(key)
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise _invalid(path, f"speaker.{key} is no date such as 2026-11-28")
    return value


def _invalid(path: Path, problem: str) -> HarnessError:
    return HarnessError(f"{path}: {problem}; correct it, or write it anew: voice consent init", cause="consent_invalid")
