"""A job that was started: its container, and what stood in the workspace before."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from acceptance.evidence import classify
from acceptance.evidence.outputs import Outputs
from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes.base import Probe, RunningContainer


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The job's container after start: what its write probe said, and what stood in the workspace before."""

    probe: Probe
    container: RunningContainer | None
    """None when the probe says that the job could not write its outputs."""
    outputs: Outputs
    protected: dict[str, str]
    clock: ExitStack
    """Open while the job runs; closing it says that it ended."""

    def not_writable(self) -> EnvironmentBlocked:
        """The failure of a job that cannot write its outputs."""
        if classify.is_disk_full(self.probe.detail):
            return EnvironmentBlocked(
                "the disk of an output directory is full", cause="disk_full", detail=self.probe.detail
            )
        return EnvironmentBlocked(
            "the job's user cannot write an output directory", cause="mount_not_writable", detail=self.probe.detail
        )
