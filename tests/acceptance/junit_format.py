"""What JUnit schemas allow, as a table: which elements stand in which, with which attributes.

`junit-10` is the format that the Jenkins xUnit plugin checks, and pytest's family `xunit2` promises it. `xunit1` is the older family: a
testcase has its file and line beside that. No schema that is checked somewhere allows properties in a testcase.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

NUMBER, SECONDS = re.compile(r"\d+"), re.compile(r"\d*(\.\d{0,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One element: the elements in it, the attributes that it must and may have, whether it holds text."""

    children: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    text: bool = False
    patterns: dict[str, re.Pattern[str]] = field(default_factory=dict)


def _rules(**testcase: frozenset[str]) -> dict[str, Rule]:
    counts = ("tests", "failures", "errors")
    result = Rule(allowed=frozenset({"type", "message"}), text=True)
    return {
        "testsuites": Rule(
            children=frozenset({"testsuite"}), allowed=frozenset({"name", "time", *counts}), patterns={"time": SECONDS}
        ),
        "testsuite": Rule(
            children=frozenset({"properties", "testcase", "system-out", "system-err"}),
            needed=frozenset({"name", *counts}),
            allowed=frozenset(
                {"time", "skipped", "timestamp", "hostname", "id", "package", "group", "file", "log", "url", "version"}
            ),
            patterns={"time": SECONDS, "skipped": NUMBER, **dict.fromkeys(counts, NUMBER)},
        ),
        "properties": Rule(children=frozenset({"property"})),
        "property": Rule(needed=frozenset({"name", "value"})),
        "testcase": Rule(
            children=frozenset({"skipped", "error", "failure", "system-out", "system-err"}),
            needed=frozenset({"name"}),
            allowed=frozenset({"classname", "time", "group"}) | testcase.get("also", frozenset()),
            patterns={"time": SECONDS},
        ),
        **dict.fromkeys(("skipped", "error", "failure"), result),
        **dict.fromkeys(("system-out", "system-err"), Rule(text=True)),
    }


RULES = {
    "junit-10": _rules(),
    "xunit2": _rules(),
    "xunit1": _rules(also=frozenset({"file", "line", "url"})),
}


def violations(root: ET.Element, schema: str) -> list[str]:
    """What in a JUnit file the schema does not allow; empty when it is valid."""
    if root.tag not in ("testsuites", "testsuite"):
        return [f"{root.tag}: not the root of a JUnit file"]
    return _of(root, RULES[schema], root.tag)


def _of(element: ET.Element, rules: dict[str, Rule], place: str) -> list[str]:
    rule = rules[element.tag]
    found = [f"{place}: attribute {name} is missing" for name in sorted(rule.needed - set(element.attrib))]
    found += [
        f"{place}: attribute {name} is not allowed" for name in sorted(set(element.attrib) - rule.needed - rule.allowed)
    ]
    found += [
        f"{place}: {name}={element.attrib[name]!r} is no number"
        for name, pattern in rule.patterns.items()
        if name in element.attrib and not pattern.fullmatch(element.attrib[name])
    ]
    if not rule.text and ((element.text or "").strip() or any((child.tail or "").strip() for child in element)):
        found.append(f"{place}: text is not allowed")
    for child in element:
        inside = f"{place}/{child.tag}"
        found += _of(child, rules, inside) if child.tag in rule.children else [f"{inside}: not allowed here"]
    return found
