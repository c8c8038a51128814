"""The page of a fleet: how many voices are certified, what the others need, and a link to each report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from acceptance.fleet.rows import FleetRow
from acceptance.pages.environment import render
from acceptance.report.next_command import next_command

_TEMPLATE = Path(__file__).with_name("page.html")
_REPORTS = ("report.html", "report.txt")
"""The first of them that a run has is linked."""


def page(found: Sequence[FleetRow], engine: str, root: Path) -> str:
    """The HTML of a fleet whose files lie in `root`; links are relative, so that the folder can be moved."""
    return render(
        _TEMPLATE,
        rows=found,
        blocked=[(row, next_command(row.action)) for row in found if not row.succeeded],
        succeeded=sum(row.succeeded for row in found),
        engine=engine,
        links={row.objective: _link(row, root) for row in found},
    )


def _link(row: FleetRow, root: Path) -> str | None:
    if row.run is None:
        return None
    name = next((name for name in _REPORTS if (root / row.run / name).is_file()), None)
    return None if name is None else "./" + quote(f"{row.run}/{name}")
