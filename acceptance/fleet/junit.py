"""One JUnit file of many sessions: a suite for each voice."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from acceptance.fleet.rows import FleetRow

_COUNTS = ("tests", "failures", "errors", "skipped")


def merged(found: Iterable[tuple[FleetRow, Path]]) -> bytes:
    """The rows with their sessions' files as one document.

    A suite is called like its voice, and so begins the class of each of its testcases: many readers group by class alone. A voice without a
    file, or with one that cannot be read, gets a suite with one failing testcase `objective`.
    """
    root = ET.Element("testsuites", name="voice-acceptance fleet")
    for row, file in found:
        suites = _suites(file)
        for suite in suites or [_not_judged(row)]:
            suite.set("name", row.objective if len(suites) < 2 else f"{row.objective}.{suite.get('name', '')}")
            for case in suite.iter("testcase"):
                case.set("classname", f"{row.objective}.{case.get('classname', '')}".rstrip("."))
            root.append(suite)
    for count in _COUNTS:
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")
    ET.indent(root)
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="utf-8") + b"\n"


def _suites(file: Path) -> list[ET.Element]:
    try:
        root = ET.parse(file).getroot()
    except (OSError, ET.ParseError):
        return []
    return [root] if root.tag == "testsuite" else list(root.iter("testsuite"))


def _not_judged(row: FleetRow) -> ET.Element:
    failed = "0" if row.succeeded else "1"
    suite = ET.Element("testsuite", tests="1", failures=failed, errors="0", skipped="0", time=f"{row.seconds:.3f}")
    case = ET.SubElement(suite, "testcase", classname="acceptance", name="objective", time="0")
    if not row.succeeded:
        message = f"{row.failure_class}/{row.cause}. Next: {row.action}"
        ET.SubElement(case, "failure", message=message).text = message
    return suite
