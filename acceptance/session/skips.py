"""Skips as pytest reports them: a place, and a reason behind `Skipped: `."""

from __future__ import annotations

import pytest

SKIPPED = "Skipped: "


def locate_skip(report: pytest.TestReport) -> str:
    """Put a skip where the test is defined, for where pytest.skip was called is a place of this machine; returns its reason."""
    if not report.skipped or not isinstance(report.longrepr, tuple):
        return ""
    report.longrepr = (report.location[0], (report.location[1] or 0) + 1, report.longrepr[2])
    return str(report.longrepr[2]).removeprefix(SKIPPED)


def skip_instead(report: pytest.TestReport, reason: str) -> None:
    """Turn a failure into a skip."""
    path, line, _ = report.location
    report.outcome = "skipped"
    report.longrepr = (path, line or 0, SKIPPED + reason)
