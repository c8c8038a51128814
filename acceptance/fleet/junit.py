"""One JUnit file of many sessions: a suite for each voice."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from acceptance.fleet.rows import NOT_RUN, FleetRow

_COUNTS = ("tests", "failures", "errors", "skipped")


def merged(found: Iterable[tuple[FleetRow, Path]]) -> bytes:
    """The rows with their sessions' files as one document.

    A suite is called like its voice, and so begins the class of each of its testcases: many readers group by class alone. A voice that was not
    run, or whose file is missing or cannot be read, gets a suite with one testcase `objective`. So does a voice that did not succeed and whose
    file shows no failure: a reader of this file alone must see what the table says.
    """
    root = ET.Element("testsuites", name="voice-acceptance fleet")
    for row, file in found:
        suites = [] if row.verdict == NOT_RUN else _suites(file)  # its file is an earlier session's
        if not suites or not (row.succeeded or any(_is_red(suite) for suite in suites)):
            suites.append(_not_judged(row))
        for suite in suites:
            suite.set("name", row.objective if len(suites) < 2 else f"{row.objective}.{suite.get('name', '')}")
            for case in suite.iter("testcase"):
                case.set("classname", f"{row.objective}.{case.get('classname', '')}".rstrip("."))
            root.append(suite)
    for name, total in _totals(root).items():
        root.set(name, total)
    ET.indent(root)
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="utf-8") + b"\n"


def _suites(file: Path) -> list[ET.Element]:
    try:
        root = ET.parse(file).getroot()
        found = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
        _totals(found)
    except (OSError, ET.ParseError, ValueError):
        return []
    return found


def _totals(suites: Iterable[ET.Element]) -> dict[str, str]:
    """The counts and the time of all suites together; raises ValueError for one that is no number."""
    found = list(suites)
    counts = {count: str(sum(int(suite.get(count, "0")) for suite in found)) for count in _COUNTS}
    return {**counts, "time": f"{sum(float(suite.get('time', '0')) for suite in found):.3f}"}


def _is_red(suite: ET.Element) -> bool:
    return any(suite.get(count, "0") != "0" for count in ("failures", "errors"))


def _not_judged(row: FleetRow) -> ET.Element:
    failed = "0" if row.succeeded else "1"
    suite = ET.Element(
        "testsuite", name="objective", tests="1", failures=failed, errors="0", skipped="0", time=f"{row.seconds:.3f}"
    )
    case = ET.SubElement(suite, "testcase", classname="acceptance", name="objective", time="0")
    if not row.succeeded:
        message = f"{row.failure_class}/{row.cause}. Next: {row.action}"
        ET.SubElement(case, "failure", message=message).text = message
    return suite
