"""The policy in force: its sections, where each value came from, and its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from acceptance.policy import schema
from acceptance.policy.sections import Sections
from trainer.files import strict_json

DEFAULT = "built-in default"
COMMAND_LINE = "command line"
JUDGING = frozenset({"audio", "speaker_similarity", "speech_realism", "intelligibility", "scorecard", "production"})
"""The sections by which clips are measured, graded and sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Sections):
    """Every threshold. `Policy()` is the built-in defaults; `load` reads the file."""

    origins: Mapping[str, str] = field(default_factory=dict)
    """`command line` or `file:line` by dotted key, for what is not a built-in default."""
    notices: tuple[str, ...] = ()
    """What the user should know, such as that there was no file."""

    def origin(self, key: str) -> str:
        """`command line`, `thresholds.yaml:17` or `built-in default`; raises KeyError for what is no key."""
        return self.origins.get(schema.leaves()[key].key, DEFAULT)

    def values(self) -> dict[str, Any]:
        """Every value by dotted key, of plain types."""
        return {key: schema.plain(schema.get(self, leaf)) for key, leaf in schema.leaves().items()}

    def changed(self) -> dict[str, Any]:
        """The values that are not the built-in ones."""
        defaults = Policy().values()
        return {key: value for key, value in self.values().items() if value != defaults[key]}

    @property
    def sha256(self) -> str:
        """Hash of the values in canonical JSON: the same whatever file or option they came from."""
        return _sha256(self.values())

    @property
    def judging_sha256(self) -> str:
        """As `sha256`, of the sections that judge clips alone: neither a budget nor a guardrail changes what is approved."""
        return _sha256({key: value for key, value in self.values().items() if key.partition(".")[0] in JUDGING})


def _sha256(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(strict_json.canonical(values).encode("ascii")).hexdigest()
