"""A fleet from its folder to its table: only the sessions that are needed, and files that say at any time how far it is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from acceptance.failure import HarnessError
from acceptance.fleet import junit, rows
from acceptance.fleet.engines import FleetEngine
from acceptance.fleet.member_workspace import MemberWorkspace
from acceptance.fleet.members import find
from acceptance.fleet.page import page
from acceptance.fleet.rows import FleetRow
from acceptance.fleet.session_options import SessionOptions
from acceptance.report import ci_summary
from trainer.files import strict_json
from trainer.files.atomic_file import write_atomically
from trainer.files.markdown import cell, table

DOCUMENT, JUNIT, PAGE = "fleet.json", "junit.xml", "fleet.html"
WORKSPACES = "workspaces"
_LOCK = ".lock"
_SHOWN_SHA256 = 12


class Listener:
    """Hears how far the fleet is; this one is silent."""

    def kept(self, row: FleetRow) -> None:
        """A voice was certified before, for the same inputs."""

    def started(self, name: str) -> None:
        """A session begins."""

    def ended(self, row: FleetRow) -> None:
        """A session is over."""


@dataclass(slots=True, kw_only=True)
class Fleet:
    """The voices of `folder`, certified below `output`."""

    folder: Path
    output: Path
    options: SessionOptions
    engine: FleetEngine
    resume_command: str
    listener: Listener = field(default_factory=Listener)
    _rows: dict[str, FleetRow] = field(default_factory=dict, init=False)

    def run(self, *, resume: bool) -> list[FleetRow]:
        """Run what is needed; returns a row for each voice, by name. Raises HarnessError before anything starts; KeyboardInterrupt.

        After an interrupt the files and `rows` say how far it came.
        """
        self.options.loaded_policy()
        members = find(self.folder, self.options)
        self._check_output(resume=resume)
        workspaces = [
            MemberWorkspace(member=member, path=self.output.absolute() / WORKSPACES / member.name) for member in members
        ]
        try:
            with FileLock(self.output / _LOCK, timeout=0.0):
                self._run(workspaces)
        except Timeout as error:
            raise HarnessError(
                f"{self.output}: another fleet works in this folder; wait for it, or end it, then run again",
                cause="output_busy",
            ) from error
        return self.rows

    @property
    def rows(self) -> list[FleetRow]:
        """A row for each voice, as far as the fleet came."""
        return list(self._rows.values())

    def _check_output(self, *, resume: bool) -> None:
        if self.output.resolve() == self.folder.resolve():
            raise HarnessError(
                f"{self.output}: the output must not be the folder of the fleet; give another one: --output "
                f"{shlex.quote(str(self.folder / 'fleet'))}", cause="output_exists",
            )  # fmt: skip
        if (self.output / DOCUMENT).exists() and not resume:
            raise HarnessError(
                f"{self.output} holds a fleet already; go on with it: {self.resume_command}; or give another --output",
                cause="output_exists",
            )
        try:
            self.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HarnessError(
                f"{self.output}: {error.strerror}; give a folder that can be written", cause="output_not_writable"
            ) from error

    def _run(self, workspaces: Sequence[MemberWorkspace]) -> None:
        root, waiting = self.output.absolute(), []
        for workspace in workspaces:
            workspace.fill(self.options)
            name = workspace.member.name
            if workspace.certified(self.options):
                self._rows[name] = rows.of_run(workspace, root, exit_status=None)
                self.listener.kept(self._rows[name])
            else:
                self._rows[name] = rows.not_run(workspace, self.resume_command)
                waiting.append(workspace)
        before = {workspace.path: workspace.newest_run() for workspace in waiting}

        def ended(workspace: MemberWorkspace, outcome: int | HarnessError) -> None:
            if isinstance(outcome, HarnessError):
                row = rows.lost(workspace, outcome, self.resume_command)
            else:
                row = rows.of_run(workspace, root, exit_status=outcome, before=before[workspace.path])
            self._rows[workspace.member.name] = row
            self._write(workspaces)
            self.listener.ended(row)

        self._write(workspaces)
        try:
            self.engine.run(
                waiting, self.options, lambda workspace: self.listener.started(workspace.member.name), ended
            )
        finally:
            self._write(workspaces)

    def _write(self, workspaces: Sequence[MemberWorkspace]) -> None:
        """The document, JUnit and the page: whole at any time, so that a fleet that was killed has them too."""
        write_atomically(self.output / DOCUMENT, strict_json.readable(document(self.rows, self.engine.name)))
        found = [(row, workspace.junit) for row, workspace in zip(self.rows, workspaces, strict=True)]
        write_atomically(self.output / JUNIT, junit.merged(found))
        write_atomically(self.output / PAGE, page(self.rows, self.engine.name, self.output).encode())


def document(found: Sequence[FleetRow], engine: str) -> dict[str, Any]:
    """`fleet.json`."""
    succeeded = sum(row.succeeded for row in found)
    return {
        "schema": "fleet/1",
        "engine": engine,
        "counts": {"voices": len(found), "succeeded": succeeded, "not_succeeded": len(found) - succeeded},
        "voices": [asdict(row) for row in found],
    }


def append_summary(found: Sequence[FleetRow], environ: Mapping[str, str]) -> None:
    """Append the table to the page of a CI system, if the environment names its file; raises OSError."""
    name = environ.get(ci_summary.VARIABLE, "")
    if name:
        good = sum(row.succeeded for row in found)
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(
                f"## {'✅' if good == len(found) else '❌'} Fleet: {good} of {len(found)} voices certified\n\n{_rows(found)}\n"
            )


def as_table(found: Sequence[FleetRow]) -> str:
    """The table of a fleet, and below it what to do next for each voice that needs something."""
    actions = [f"- {row.objective}: {row.action}" for row in found if not row.succeeded]
    below = ["", "What to do next:", *actions] if actions else []
    return "\n".join([_rows(found), *below])


def _rows(found: Sequence[FleetRow]) -> str:
    heading = ("objective", "verdict", "class", "cause", "time", "checkpoint")
    lines = [
        (
            cell(row.objective), row.verdict, row.failure_class, row.cause, f"{row.seconds:.1f} s",
            (row.checkpoint_sha256 or "-")[:_SHOWN_SHA256],
        )
        for row in found
    ]  # fmt: skip
    return table(heading, lines, left=(0, 1, 2, 3, 5))
