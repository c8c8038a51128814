"""The page of any record that a session could leave is whole, and no text of it becomes markup."""

from __future__ import annotations

import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings

from acceptance.record.record import RunRecord, from_events
from acceptance.report import ci_summary, run_page
from acceptance.report.block import block
from acceptance.steps import STEPS
from tests.acceptance.records import failed, runs, session_started

KNOWN = {
    *("html", "head", "meta", "link", "title", "style", "body", "header", "h1", "p", "main", "div", "span", "strong"),
    *(
        "code",
        "pre",
        "button",
        "h2",
        "h3",
        "details",
        "summary",
        "table",
        "thead",
        "tr",
        "th",
        "tbody",
        "td",
        "ul",
        "li",
    ),
    *("dl", "dt", "dd", "footer", "a", "script"),
}
"""The elements of pages without clips and curves."""
SUCCESS = [
    {
        "event": "step_finished",
        "step": step.id,
        "outcome": "passed",
        "blocked_by": None,
        "seconds": 0.1,
        "failure": None,
    }
    for step in STEPS
]


class Elements(HTMLParser):
    """Names of all elements, and all text outside of scripts and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.text += data


def page_of(record: RunRecord) -> Elements:
    with tempfile.TemporaryDirectory() as folder:
        return Elements(run_page.render(record, Path(folder)))


@settings(deadline=None, max_examples=25)
@given(runs)
def test_any_record_gives_a_page_of_known_elements_with_its_block(events: list[dict]) -> None:
    record = from_events(events)
    page = page_of(record)
    assert set(page.names) <= KNOWN
    assert page.names.count("script") == 1
    assert block(record) in page.text


@settings(deadline=None, max_examples=50)
@given(runs)
def test_any_record_gives_a_summary_without_markup(events: list[dict]) -> None:
    told = ci_summary.markdown(from_events(events), Path("/no/such/run"))
    outside = "".join(told.split("```")[::2])
    assert "<" not in outside
    assert all(line.isprintable() for line in told.split("\n"))


def test_a_voice_that_reads_is_heard_next() -> None:
    record = from_events([session_started() | {"workspace": "/home/me/my voices"}, *SUCCESS])
    assert (
        "voice say 'Good morning, everybody.' --checkpoint '/home/me/my voices/checkpoints/tts_voice_train_musicgen_small.pt'"
        in page_of(record).text
    )


def test_the_command_of_a_blocked_run_has_the_workspace_in_it_and_the_block_has_not() -> None:
    start = session_started() | {"workspace": "/home/me/my voices"}
    start["action_fields"] |= {"restore_audio": 'cd "$WORKSPACE" && voice init RECORDING'}
    record = from_events([start, failed("phase_1_preflight.audio_exists", "audio_missing", "no recording")])
    text = page_of(record).text
    assert "cd '/home/me/my voices' && voice init RECORDING" in text
    assert 'cd "$WORKSPACE" && voice init RECORDING' in block(record)


@pytest.mark.parametrize(("outcome", "said"), [("Also failed", True), ("Evidence", False)])
def test_further_failures_have_their_own_commands(outcome: str, said: bool) -> None:
    record = from_events(
        [
            session_started(),
            failed("phase_1_preflight.audio_exists", "audio_missing", "no recording"),
            failed("phase_2_build.image_built", "base_image_missing", "no base"),
        ]
    )
    page = page_of(record)
    assert (outcome in page.text) == said
    assert page.text.count("Copy the command") == 2
