"""What the JUnit file carries besides pytest's own: step, outcome and class per testcase, the report's fields as suite properties."""

from __future__ import annotations

import pytest
from _pytest.junitxml import xml_key

from acceptance import report as reports
from acceptance.failure_text import FailureText
from acceptance.live import printable
from acceptance.record import RunRecord
from acceptance.verdict import Outcome, StepResult


def add_step_properties(item: pytest.Item, result: StepResult | None) -> None:
    """Name the step and what became of it in the testcase's properties, once it is decided."""
    if result is None or any(name == "step" for name, _ in item.user_properties):
        return
    properties = [("step", result.step), ("outcome", result.outcome.name.lower())]
    if result.outcome is Outcome.FAILED:
        properties.append(("root_cause_class", str(result.failure.failure_class)))
    if result.failure is not None:
        properties.append(("cause", result.failure.cause))
    if "findings" in (result.failure.evidence if result.failure is not None else ()):
        properties += [("finding", printable(line)) for line in result.failure.evidence["findings"].splitlines()]
    if result.blocked_by is not None:
        properties.append(("blocked_by", result.blocked_by))
    item.user_properties.extend(properties)


def add_interrupted_step(item: pytest.Item, result: StepResult, action: str) -> None:
    """Give the step that an interruption ended a testcase with its failure; pytest itself reports nothing for it."""
    xml = item.config.stash.get(xml_key, None)
    if xml is None or result.failure is None:
        return
    text = FailureText(result.failure, step=result.step, action=action, location=item.location)
    common = {"nodeid": item.nodeid, "location": item.location, "keywords": {}, "user_properties": item.user_properties}
    xml.pytest_runtest_logreport(pytest.TestReport(when="call", outcome="failed", longrepr=text, **common))
    xml.pytest_runtest_logreport(pytest.TestReport(when="teardown", outcome="passed", longrepr=None, **common))


def add_report_properties(config: pytest.Config, record: RunRecord) -> None:
    """Put every field of the objective report into the suite's properties, when a JUnit file is written."""
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    for key, value in reports.values(record).items():
        xml.add_global_property(key, value)
    xml.add_global_property("run_id", record.run_id)
