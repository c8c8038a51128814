"""What the JUnit file carries besides pytest's own: step, outcome and class per testcase, the report's fields as suite properties."""

from __future__ import annotations

import pytest
from _pytest.junitxml import xml_key

from acceptance import report as reports
from acceptance.record import RunRecord


def add_step_properties(item: pytest.Item, record: RunRecord, step: str) -> None:
    """Name the step and what became of it in the testcase's properties, once it is decided."""
    result = record.verdict().results.get(step)
    if result is None or any(name == "step" for name, _ in item.user_properties):
        return
    properties = [("step", step), ("outcome", result.outcome.name.lower())]
    if result.failure is not None:
        properties += [("root_cause_class", str(result.failure.failure_class)), ("cause", result.failure.cause)]
    if result.blocked_by is not None:
        properties.append(("blocked_by", result.blocked_by))
    item.user_properties.extend(properties)


def add_report_properties(config: pytest.Config, record: RunRecord) -> None:
    """Put every field of the objective report into the suite's properties, when a JUnit file is written."""
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    for key, value in reports.values(record).items():
        xml.add_global_property(key, value)
    xml.add_global_property("run_id", record.run_id)
