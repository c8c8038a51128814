"""`train_status.json`, read strictly: what a container claims of its training, every number finite and of its own type."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trainer.files import strict_json

MAX_BYTES = 256 * 2**10
_MOST_WARNINGS, _WARNING_LENGTH = 20, 500
Finite = Annotated[float, Field(allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
PAIR = ("_loss_start", "_loss_trained")
"""Ends of the keys under which a loss is claimed before and after training."""


class StatusError(ValueError):
    """The file is not a train status of the contract; the message names key and rule."""


class Learning(BaseModel):
    """The learning proof of the contract: held-out losses of the start, of the trained voice, and of both on a wrong voice."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    heldout_loss_start: Finite
    heldout_loss_trained: Finite
    improvement: Finite
    control_loss_start: Finite
    control_loss_trained: Finite
    control_improvement: Finite
    nonfinite_losses: Count
    nonfinite_gradients: Count
    heldout_utterances: Count | None = None
    heldout_seconds: Finite | None = None
    speaker_difference: Finite | None = None

    @model_validator(mode="after")
    def _losses_come_in_pairs(self) -> Learning:
        """What else was measured before and after is two finite numbers."""
        extra = self.model_extra or {}
        for name in {key.removesuffix(end) for key in extra for end in PAIR if key.endswith(end)}:
            found = [extra.get(name + end) for end in PAIR]
            if not all(
                isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)
                for value in found
            ):
                raise ValueError(f"{name}{PAIR[0]} and {name}{PAIR[1]} are not two finite numbers")
        return self


class CompletedStatus(BaseModel):
    """A train status that says completed."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    status: Literal["completed"]
    loss: Finite
    run_id: str
    audio_sha256: Sha256
    manifest_sha256: Sha256
    checkpoint_sha256: Sha256
    content_sha256: Sha256
    step: Count
    steps_total: Count
    device: str
    seed: Count
    threads: Count
    learning: Learning
    timestamp: str


def parse(data: bytes) -> dict[str, Any]:
    """The status as strict JSON; raises StatusError."""
    try:
        value = strict_json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StatusError(f"not strict JSON: {error}") from error
    if not isinstance(value, dict):
        raise StatusError("not a JSON object")
    return value


def warnings(value: dict[str, Any]) -> list[str]:
    """What the job warns of, a printable line each; everything else in that place is left out, for it is no part of the proof."""
    found = value.get("warnings")
    lines = [line for line in found if isinstance(line, str) and line.strip()] if isinstance(found, list) else []
    return [
        "".join(filter(str.isprintable, " ".join(line.split())))[:_WARNING_LENGTH] for line in lines[:_MOST_WARNINGS]
    ]


def completed(value: dict[str, Any]) -> CompletedStatus:
    """The status of a completed training; raises StatusError for a missing key, a wrong type or a number that is not finite."""
    try:
        return CompletedStatus.model_validate(value)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        raise StatusError("; ".join(problems[:5])) from error
