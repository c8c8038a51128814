"""Runs that earlier sessions left in the workspace, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from acceptance.guardrails.finding import NotApplicable
from acceptance.record import workspace
from acceptance.record.record import RunRecord
from acceptance.report import block
from acceptance.verdict import ObjectiveStatus

_SEARCHED = 50
"""So many runs are read in search of a good one."""


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A run's directory; what lies in it is read when asked for."""

    directory: Path

    @property
    def id(self) -> str:
        """Its run id."""
        return self.directory.name

    @cached_property
    def record(self) -> RunRecord:
        """The record that its journal gives; raises ValueError for a journal that does not hold."""
        return workspace.load_run(self.directory)

    @cached_property
    def report(self) -> dict[str, Any]:
        """Its report.json; empty where there is none that can be read."""
        try:
            value = json.loads((self.directory / "report.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def claims(self) -> dict[str, Any]:
        """The block's values as report.json has them."""
        values = self.report.get("report")
        return values if isinstance(values, dict) else {}

    @property
    def claims_success(self) -> bool:
        """Whether its report says success."""
        return self.claims.get("objective_status") == str(ObjectiveStatus.SUCCESS)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What its report says of each step of the objective."""
        rows = self.report.get("steps")
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def rebuilt(self) -> dict[str, str]:
        """The block's values as the journal gives them; raises ValueError."""
        return block.values(self.record)


class StoredRuns:
    """The runs of a workspace besides the current one and one that another session works on."""

    def __init__(self, root: Path, *, current: str | None = None) -> None:
        self.root = root
        self._current = current

    def newest_first(self) -> Iterator[StoredRun]:
        """All of them."""
        for directory in reversed(workspace.run_dirs(self.root)):
            if directory.name != self._current and not workspace.is_live(self.root, directory.name):
                yield StoredRun(directory=directory)

    def newest(self) -> StoredRun:
        """The newest; raises NotApplicable."""
        found = next(self.newest_first(), None)
        if found is None:
            raise NotApplicable("no earlier run in the workspace")
        return found

    def newest_success(self) -> StoredRun:
        """The newest that succeeded, by its journal.

        Raises NotApplicable, also where a newer journal cannot be read, and while another session moves what the workspace holds.
        """
        newest = next(reversed(workspace.run_dirs(self.root)), None)
        if newest is not None and newest.name != self._current and workspace.is_live(self.root, newest.name):
            raise NotApplicable(f"another session works in the workspace now (run {newest.name})")
        for run, _ in zip(self.newest_first(), range(_SEARCHED), strict=False):
            try:
                if run.record.voice_verdict().status is ObjectiveStatus.SUCCESS:
                    return run
            except ValueError as error:
                raise NotApplicable(f"the journal of run {run.id} cannot be read (see journal_intact)") from error
        raise NotApplicable("no earlier run in the workspace succeeded")
