"""Judge a finished session by what it left: a JUnit file that counts tests, and a report block that says success."""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

BEGIN, END = "=== OBJECTIVE REPORT ===", "=== END OBJECTIVE REPORT ==="
GUARDRAILS = ".test_0_guardrails"
"""Phase 0 is no part of the objective: on a fresh workspace some of it has nothing to look at, and is skipped."""


def junit_problems(path: Path, *, whole: bool) -> list[str]:
    """Why the JUnit file is no proof: missing, empty, with failures, or (whole) with any step of the objective skipped."""
    if not path.is_file():
        return [f"{path} was not written"]
    cases = list(ElementTree.parse(path).iter("testcase"))
    problems = [] if cases else [f"{path} counts no test"]
    for case in cases:
        name = f"{case.get('classname')}::{case.get('name')}"
        needed = whole and not case.get("classname", "").endswith(GUARDRAILS)
        for outcome in ("failure", "error", *(["skipped"] if needed else [])):
            found = case.find(outcome)
            if found is not None:
                problems.append(f"{name}: {outcome}: {found.get('message', '')[:200]}")
    skipped = sum(case.find("skipped") is not None for case in cases)
    print(f"{path.name}: {len(cases)} tests, {skipped} skipped")
    return problems


def report_problems(path: Path) -> list[str]:
    """Why the log does not end in one report that says success."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    begins = [number for number, line in enumerate(lines) if line == BEGIN]
    if not begins or END not in lines[begins[-1] :]:
        return [f"{path} has no whole report block"]
    report = lines[begins[-1] : begins[-1] + lines[begins[-1] :].index(END) + 1]
    print("\n".join(report))
    if report[1] != "objective_status: success":
        return [f"the report says {report[1]!r}"]
    return []


def main() -> int:
    """Command line; 0 when everything holds, else 1 with the reasons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("junit", type=Path)
    parser.add_argument("log", type=Path, nargs="?", help="the session's output, which must hold a report of success")
    parser.add_argument("--whole", action="store_true", help="a skipped test counts as a failure, except a guardrail's")
    options = parser.parse_args()
    problems = junit_problems(options.junit, whole=options.whole)
    if options.log is not None:
        problems += report_problems(options.log)
    for problem in problems:
        print(f"NOT OK  {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
