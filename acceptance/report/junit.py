"""What the JUnit file carries besides pytest's own: failures of steps that pytest did not see, and the verdict of the whole.

Only what every JUnit schema allows is written: a testcase holds a failure or a skip and no properties. Everything a reader needs
(class, cause, next step) stands in the failure's message, because most readers show nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

import pytest
from _pytest.junitxml import LogXML, xml_key

from acceptance.failure import Failure
from acceptance.record.record import RunRecord
from acceptance.report import block as reports
from acceptance.report.failure_text import Failed, FailureText, NotJudged
from acceptance.verdict import ObjectiveStatus

OBJECTIVE = "acceptance::objective"
"""The testcase that fails when nothing else failed and the objective was not reached."""


def add_to_file(item: pytest.Item, step: str, failure: Failure, action: str) -> None:
    """Give the step that an interruption ended a testcase with its failure; pytest itself reports nothing for it.

    It is the step of `item`, or a later one, in a module beside it.
    """
    xml = item.config.stash.get(xml_key, None)
    if xml is None:
        return
    phase, _, check = step.partition(".")
    name, module = f"test_{check}", phase.replace("phase_", "test_", 1) + ".py"
    beside = [
        str(PurePath(text).with_name(module).as_posix()) for text in (item.nodeid.partition("::")[0], item.location[0])
    ]
    own = item.path.name == module and getattr(item, "originalname", item.name) == name
    location = item.location if own else (beside[1], None, name)
    text = FailureText(failure, step=step, action=action, location=location)
    _log(xml, _failed(item.nodeid if own else f"{beside[0]}::{name}", location, text))


def add_verdict(config: pytest.Config, record: RunRecord) -> None:
    """Add the report's fields as suite properties, and a failing testcase `objective` if nothing else says that it is no success."""
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    for key, value in reports.values(record).items():
        xml.add_global_property(key, value)
    xml.add_global_property("run_id", record.run_id)
    verdict = record.whole_verdict()
    if verdict.status is not ObjectiveStatus.SUCCESS:
        reasons = {step: str(record.facts.get(f"skipped.{step}", "was not run")) for step in verdict.not_run}
        _add_objective(xml, "not every step was judged", reports.next_action(record, verdict), reasons)


def add_no_verdict(config: pytest.Config) -> None:
    """Say that nothing was judged: as a suite property and as a failing testcase `objective`."""
    xml = config.stash.get(xml_key, None)
    if xml is not None:
        xml.add_global_property("objective_status", str(ObjectiveStatus.BLOCKED))
        _add_objective(xml, "no step was judged", "Run all steps: pytest acceptance -q", {})


def _add_objective(xml: LogXML, message: str, action: str, reasons: Mapping[str, str]) -> None:
    if not xml.stats["failure"] + xml.stats["error"]:
        _log(
            xml,
            _failed(OBJECTIVE, ("acceptance", None, "objective"), NotJudged(message, action=action, reasons=reasons)),
        )


def _failed(nodeid: str, location: tuple[str, int | None, str], text: Failed) -> list[pytest.TestReport]:
    call = pytest.TestReport(
        nodeid=nodeid, location=location, keywords={}, when="call", outcome="failed", longrepr=text
    )
    return [
        call,
        pytest.TestReport(
            nodeid=nodeid, location=location, keywords={}, when="teardown", outcome="passed", longrepr=None
        ),
    ]


def _log(xml: LogXML, found: list[pytest.TestReport]) -> None:
    for report in found:
        xml.pytest_runtest_logreport(report)
