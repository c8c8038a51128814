"""The threshold policy: every number that a verdict depends on, read from one file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter

THRESHOLDS = Path(__file__).with_name("thresholds.toml")
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPolicy:
    """What counts as having learned."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    min_improvement: Share
    """Relative: (start - trained) / start, on held-out speech of the target."""
    min_control_gap: Share
    """Improvement on the target minus improvement on the wrong voice."""
    remeasure_tolerance: Share
    """Relative difference allowed between claimed and measured losses."""


def load_learning(path: Path = THRESHOLDS) -> LearningPolicy:
    """The `learning` table of a policy file; raises OSError, tomllib.TOMLDecodeError or pydantic.ValidationError."""
    return TypeAdapter(LearningPolicy).validate_python(tomllib.loads(path.read_text(encoding="utf-8"))["learning"])
