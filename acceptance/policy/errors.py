"""The one failure of the threshold policy."""

from __future__ import annotations

from acceptance.failure import HarnessError


class PolicyError(HarnessError):
    """A threshold cannot be used: `place: key: problem; next step`, the place being `file:line` or the option of the command line."""

    def __init__(self, place: str, key: str, problem: str, next_step: str) -> None:
        super().__init__(
            ": ".join(part for part in (place, key, problem) if part) + f"; {next_step}", cause="policy_invalid"
        )
