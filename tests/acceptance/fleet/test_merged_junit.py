"""The merged JUnit file says of each voice what the table says, whatever file an earlier session left."""

from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import JUnitXml

from acceptance.fleet import junit
from acceptance.fleet.rows import NOT_JUDGED, NOT_RUN, FleetRow

GREEN = '<testsuites><testsuite name="pytest" tests="1" failures="0" errors="0" skipped="0" time="1"><testcase name="a"/></testsuite></testsuites>'


def merged(tmp_path: Path, text: str, *, verdict: str, cause: str = "none") -> JUnitXml:
    (tmp_path / "junit.xml").write_text(text)
    row = FleetRow(objective="amy", source="amy.toml", verdict=verdict, cause=cause)
    return JUnitXml.fromstring(junit.merged([(row, tmp_path / "junit.xml")]))


def test_a_voice_that_succeeded_has_the_suite_of_its_session(tmp_path):
    found = merged(tmp_path, GREEN, verdict="success")
    assert (found.tests, found.failures) == (1, 0)


def test_the_file_of_an_earlier_session_says_nothing_of_a_voice_that_was_not_run(tmp_path):
    found = merged(tmp_path, GREEN, verdict=NOT_RUN, cause=NOT_RUN)
    assert (found.tests, found.failures, [suite.name for suite in found]) == (1, 1, ["amy"])


def test_a_voice_that_did_not_succeed_is_red_also_if_its_session_shows_no_failure(tmp_path):
    found = merged(tmp_path, GREEN, verdict="blocked", cause=NOT_JUDGED)
    assert (found.tests, found.failures, [suite.name for suite in found]) == (2, 1, ["amy.pytest", "amy.objective"])


@pytest.mark.parametrize("text", ["<testsuite", GREEN.replace('tests="1"', 'tests="many"')])
def test_a_file_that_cannot_be_read_is_a_failure_of_its_voice(tmp_path, text):
    found = merged(tmp_path, text, verdict="blocked", cause=NOT_JUDGED)
    assert (found.tests, found.failures) == (1, 1)
