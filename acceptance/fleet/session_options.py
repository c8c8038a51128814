"""What every session of a fleet is told besides its objective."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acceptance import policy as policies
from acceptance.objective import Settings, load
from acceptance.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """The options of `pytest acceptance` that a fleet passes on."""

    overrides: tuple[str, ...] = ()
    runtime: str | None = None
    policy: Path | None = None
    thresholds: tuple[str, ...] = ()
    no_cost: bool = False

    def settings(self, objective: Path) -> Settings:
        """An objective as its session will read it; raises SettingsError."""
        runtime = [] if self.runtime is None else [f"runtime={self.runtime}"]
        return load(str(objective.absolute()), overrides=[*self.overrides, *runtime])

    def loaded_policy(self) -> Policy:
        """The policy of every session; raises PolicyError."""
        return policies.load(self.policy, self.thresholds)

    def arguments(self, policy: Path) -> list[str]:
        """For the command line of a session that has its copy of the policy at `policy`."""
        return [
            *(f"--set={text}" for text in self.overrides),
            *(f"--threshold={text}" for text in self.thresholds),
            *(() if self.runtime is None else (f"--runtime={self.runtime}",)),
            *(() if self.policy is None else (f"--policy={policy}",)),
            *(("--no-cost",) if self.no_cost else ()),
        ]
