"""The line of one voice in the table of its fleet, read from the journal of its newest run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.fleet.member_workspace import MemberWorkspace
from acceptance.record import workspace as runs
from acceptance.report import block
from acceptance.verdict import ObjectiveStatus
from trainer.files.printable import masked

NOT_RUN, NOT_JUDGED = "not_run", "not_judged"
_NONE = "none"
_LOG_BYTES = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """What became of one voice."""

    objective: str
    source: str
    verdict: str
    """`success`, `blocked`, or `not_run`."""
    first_failed_step: str = _NONE
    failure_class: str = _NONE
    cause: str = _NONE
    action: str = _NONE
    seconds: float = 0.0
    """Of the run's steps."""
    checkpoint_sha256: str | None = None
    run: str | None = None
    """The directory of its run, relative to the fleet's."""
    exit_status: int | None = None
    """Of its session; None where none ran in this fleet."""

    @property
    def succeeded(self) -> bool:
        """Whether its voice is certified."""
        return self.verdict == ObjectiveStatus.SUCCESS


def not_run(workspace: MemberWorkspace, resume: str) -> FleetRow:
    """The row of a voice whose session was not started; `resume` is the command that starts it."""
    return FleetRow(
        objective=workspace.member.name, source=workspace.member.source.name, verdict=NOT_RUN, cause=NOT_RUN,
        action=f"The fleet ended before it; go on: {resume}",
    )  # fmt: skip


def lost(workspace: MemberWorkspace, error: HarnessError, resume: str) -> FleetRow:
    """The row of a voice of whose session nothing came back: `error` says why and what to do before `resume`."""
    reason = masked(str(error))[:500].replace(": ", ":")  # what follows a colon is the command
    return FleetRow(
        objective=workspace.member.name, source=workspace.member.source.name, verdict=str(ObjectiveStatus.BLOCKED), cause=error.cause,
        action=f"{reason[:1].upper()}{reason[1:]}, then go on: {resume}",
    )  # fmt: skip


def of_run(workspace: MemberWorkspace, root: Path, *, exit_status: int | None, before: Path | None = None) -> FleetRow:
    """The row of the newest run, if it is a newer one than `before`; else that of a session which judged nothing."""
    directory = workspace.newest_run()
    if directory is None or directory == before:
        return _without_run(workspace, root, exit_status)
    try:
        record = runs.load_run(directory).completed()
    except (OSError, ValueError):
        return _without_run(workspace, root, exit_status)
    found = block.values(record)
    checkpoint = found["checkpoint_sha256"]
    return FleetRow(
        objective=workspace.member.name,
        source=workspace.member.source.name,
        verdict=found["objective_status"],
        first_failed_step=found["first_failed_step"],
        failure_class=found["root_cause_class"],
        cause=found["cause"],
        action=_pasteable(found["next_unblock_action"], workspace),
        seconds=round(sum(record.seconds.values()), 3),
        checkpoint_sha256=None if checkpoint == "N/A" else checkpoint,
        run=directory.relative_to(root).as_posix(),
        exit_status=exit_status,
    )


def _without_run(workspace: MemberWorkspace, root: Path, exit_status: int | None) -> FleetRow:
    log = shlex.quote(str(workspace.log))
    code = exit_status or 0
    how = f", exit status {code}" if code > 0 else f", ended by signal {-code}" if code else ""
    return FleetRow(
        objective=workspace.member.name, source=workspace.member.source.name, verdict=str(ObjectiveStatus.BLOCKED), cause=NOT_JUDGED,
        action=f"The session judged nothing ({_last_line(workspace.log)}{how}); read what it printed: tail -n 40 {log}",
        exit_status=exit_status,
    )  # fmt: skip


def _pasteable(action: str, workspace: MemberWorkspace) -> str:
    """The action with this workspace in it: one report names no absolute path, and a fleet has many workspaces."""
    place, objective = shlex.quote(str(workspace.path)), shlex.quote(str(workspace.objective))
    return action.replace('"$WORKSPACE"', place).replace('"$OBJECTIVE"', objective)


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return "it printed nothing"
    line = masked(next((line for line in reversed(lines) if line.strip()), "it printed nothing"))[:300]
    return line.replace(": ", ":")  # what follows a colon is the command
