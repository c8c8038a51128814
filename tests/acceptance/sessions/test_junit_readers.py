"""Programs that people read JUnit files with show class, cause, next step and the reason of a skip, and none shows green for no success."""

from __future__ import annotations

import html
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from tests.acceptance.harness import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A session and its JUnit file."""

    session: Session
    file: Path

    def cases(self) -> list[TestCase]:
        return [case for suite in JUnitXml.fromfile(str(self.file)) for case in suite]

    def results(self, kind: type) -> list[tuple[TestCase, Error | Failure | Skipped]]:
        return [(case, result) for case in self.cases() for result in case.result if isinstance(result, kind)]

    def page(self) -> str:
        """The text of the page that junit2html makes."""
        page = self.file.with_suffix(".html")
        subprocess.run(
            [sys.executable, "-m", "junit2htmlreport", str(self.file), str(page)], check=True, capture_output=True
        )
        return html.unescape(page.read_text(encoding="utf-8"))


ENDINGS = {
    "success": ((), {}),
    "failed": ((), {"VOICE_ENV__TINY_MODE": "fail"}),
    "preflight alone": (("-k", "preflight"), {}),
    "nothing selected": (("-k", "no_step_is_called_so"), {}),
    "no recording": (("--set", "audio=data/none.wav"), {}),
}


@pytest.fixture(scope="module", params=ENDINGS)
def ended(request: pytest.FixtureRequest, make_bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Ended]:
    arguments, env = ENDINGS[request.param]
    file = tmp_path_factory.mktemp("junit") / "junit.xml"
    session = make_bench(request.param.replace(" ", "_")).run("-q", f"--junitxml={file}", *arguments, env=env)
    return request.param, Ended(session=session, file=file)


def test_no_reader_shows_green_for_what_is_no_success(ended: tuple[str, Ended]) -> None:
    name, run = ended
    red = [case.name for case, _ in run.results(Failure) + run.results(Error)]
    suite = next(iter(JUnitXml.fromfile(str(run.file))))
    assert bool(red) == (run.session.returncode != 0) == (name != "success")
    assert (suite.failures + suite.errors, suite.tests) == (len(red), len(run.cases()))


def test_readers_show_class_and_cause_and_what_to_do_next(ended: tuple[str, Ended]) -> None:
    name, run = ended
    if name == "success":
        assert run.results(Failure) == []
        return
    case, failure = run.results(Failure)[0]
    block, page = run.session.block, run.page()
    if name == "nothing selected":
        assert (block, case.name) == ({}, "objective")
    else:
        assert failure.message.startswith(
            f"{block['root_cause_class']}/" + (block["cause"] if block["cause"] != "none" else "not_judged")
        )
        assert failure.message.endswith(f". Next: {block['next_unblock_action']}")
    assert failure.message in page
    assert "next: " in failure.text and failure.text.splitlines()[0] in page


def test_readers_show_a_reason_for_each_skip(ended: tuple[str, Ended]) -> None:
    name, run = ended
    skipped, page = run.results(Skipped), run.page()
    assert all(skip.message.strip() and skip.message in page for _, skip in skipped)
    assert bool(skipped) == (name not in ("nothing selected", "preflight alone"))


def test_readers_show_the_report_as_properties_of_the_suite(ended: tuple[str, Ended]) -> None:
    _, run = ended
    properties = {item.name: item.value for suite in JUnitXml.fromfile(str(run.file)) for item in suite.properties()}
    assert run.session.block.items() <= properties.items()
    assert properties["objective_status"] == ("success" if run.session.returncode == 0 else "blocked")
