"""What the JUnit file carries besides pytest's own: step, outcome and class per testcase, the report's fields as suite properties."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from _pytest.junitxml import xml_key

from acceptance import report as reports
from acceptance.failure_text import FailureText
from acceptance.live import printable
from acceptance.record import RunRecord
from acceptance.verdict import ObjectiveStatus, Outcome, StepResult


def add_step_properties(item: pytest.Item, result: StepResult | None) -> None:
    """Name the step and what became of it in the testcase's properties, once it is decided."""
    if result is not None and not any(name == "step" for name, _ in item.user_properties):
        item.user_properties.extend(step_properties(result))


def step_properties(result: StepResult) -> list[tuple[str, str]]:
    """Step, outcome, class, cause, findings and blocker of a result, as far as it has them."""
    properties = [("step", result.step), ("outcome", result.outcome.name.lower())]
    if result.outcome is Outcome.FAILED:
        properties.append(("root_cause_class", str(result.failure.failure_class)))
    if result.failure is not None:
        properties.append(("cause", result.failure.cause))
    if "findings" in (result.failure.evidence if result.failure is not None else ()):
        properties += [("finding", printable(line)) for line in result.failure.evidence["findings"].splitlines()]
    if result.blocked_by is not None:
        properties.append(("blocked_by", result.blocked_by))
    return properties


def failure_reports(item: pytest.Item, result: StepResult, action: str) -> list[pytest.TestReport]:
    """What pytest would report of a failed step's test; the step is `item`'s, or one that was not selected, in a module beside it."""
    phase, _, check = result.step.partition(".")
    name, module = f"test_{check}", phase.replace("phase_", "test_", 1) + ".py"
    beside = [str(PurePath(text).with_name(module).as_posix()) for text in (item.nodeid.partition("::")[0], item.location[0])]
    own = item.path.name == module and getattr(item, "originalname", item.name) == name
    location = item.location if own else (beside[1], None, name)
    text = FailureText(result.failure, step=result.step, action=action, location=location)
    common = {"nodeid": item.nodeid if own else f"{beside[0]}::{name}", "location": location, "keywords": {}}
    common["user_properties"] = step_properties(result)
    return [
        pytest.TestReport(when="call", outcome="failed", longrepr=text, **common),
        pytest.TestReport(when="teardown", outcome="passed", longrepr=None, **common),
    ]


def add_to_file(item: pytest.Item, result: StepResult, action: str) -> None:
    """Give the step that an interruption ended a testcase with its failure; pytest itself reports nothing for it."""
    xml = item.config.stash.get(xml_key, None)
    for report in failure_reports(item, result, action) if xml is not None else ():
        xml.pytest_runtest_logreport(report)


def add_report_properties(config: pytest.Config, record: RunRecord) -> None:
    """Put every field of the objective report into the suite's properties, when a JUnit file is written."""
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    for key, value in reports.values(record).items():
        xml.add_global_property(key, value)
    xml.add_global_property("run_id", record.run_id)


def add_no_verdict(config: pytest.Config) -> None:
    """Say in the suite's properties that nothing was judged, when a JUnit file is written."""
    xml = config.stash.get(xml_key, None)
    if xml is not None:
        xml.add_global_property("objective_status", str(ObjectiveStatus.BLOCKED))
