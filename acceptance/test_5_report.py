"""Phase 5: the report. It is complete, its artifacts are on the disk as it says, and it can be rebuilt from the journal byte for byte."""

from __future__ import annotations

import re

import pytest

from acceptance.evidence.untrusted_file import identify_if_regular
from acceptance.failure import EnvironmentBlocked
from acceptance.record import workspace
from acceptance.record.journal import read
from acceptance.record.record import from_events
from acceptance.report import block
from acceptance.session.run_session import RunSession

pytestmark = pytest.mark.order(5)

_RUN_SPECIFIC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d|(?:^|[ \"'=])/(?:tmp|home|root|workspace|var)\b")


def test_report_complete(run: RunSession) -> None:
    """Every key is there once, in order, and the checkpoint and manifest on the disk are the ones that were checked."""
    lines = block.block(run.record).splitlines()
    assert [line.partition(": ")[0] for line in lines[1:-1]] == list(block.KEYS)
    assert (lines[0], lines[-1]) == (block.BEGIN, block.END)
    for name, path in (("checkpoint", run.settings.checkpoint), ("manifest", run.settings.manifest)):
        checked = run.record.facts.get(name)
        if checked is None:
            continue
        found = identify_if_regular(run.workspace / path, limit=checked["bytes"])
        if found is None or found.sha256 != checked["sha256"]:
            raise EnvironmentBlocked(f"the {name} changed after it was checked", cause="report_incomplete")


def test_report_deterministic(run: RunSession) -> None:
    """The journal alone gives the same block, and nothing in it belongs to this run only."""
    text = block.block(run.record)
    if _rebuilt(run) != text:
        problem = run.recorder.journal.failure
        if problem is not None:
            raise EnvironmentBlocked(f"the journal could not be written: {problem}", cause="journal_unwritable")
        raise EnvironmentBlocked("the journal gives another report than the session", cause="report_incomplete")
    leaked = _RUN_SPECIFIC.search(text)
    if leaked is not None or run.record.run_id in text:
        raise EnvironmentBlocked(
            "the report holds something that belongs to this run only",
            cause="report_incomplete",
            found=leaked[0] if leaked else "run id",
        )


def _rebuilt(run: RunSession) -> str | None:
    """The block that the journal gives; None where it cannot be read."""
    try:
        return block.block(from_events(read(run.run_dir / workspace.JOURNAL)))
    except (OSError, ValueError):
        return None
