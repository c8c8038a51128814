"""The page of a run in a real browser: it plays, copies, fits a telephone, says nothing on the console and asks nobody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.browser import opened
from tests.acceptance.harness import Session
from tests.acceptance.sessions.conftest import Bench
from tests.acceptance.sessions.test_run_page import HOSTILE, JOB, samples


@pytest.fixture(scope="module")
def failed(make_bench: Callable[..., Bench], tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A job that spoke, printed hostile text, and failed: its page has everything."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "said").write_bytes(HOSTILE)
    settings = (
        f"command=/bin/sh {JOB}",
        "env.TINY_MODE=fail",
        f"env.SAID={folder / 'said'}",
        f"env.SAMPLES={samples(folder / 'samples')}",
    )
    return make_bench("shown").run("-q", *(part for setting in settings for part in ("--set", setting)))


def report(session: Session) -> Path:
    assert session.run_dir is not None
    return session.run_dir / "report.html"


def test_a_clip_plays_the_action_is_copied_and_nothing_leaves_the_page(failed):
    with opened(report(failed)) as watched:
        page = watched.page
        played = page.evaluate(
            """async () => {
                const player = document.querySelectorAll("audio")[1];
                await player.play();
                return [player.duration, player.error];
            }"""
        )
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.click("button[data-copy=next-action]")
        page.locator("button[data-copy=next-action]", has_text="Copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert played == [pytest.approx(0.25, abs=0.01), None]
        assert copied == page.inner_text("#next-action")
        assert copied
        assert watched.said == []
        assert len(watched.asked) == 2
        assert watched.stayed_inside(failed.run_dir)


def test_without_a_clipboard_the_selection_is_copied(failed):
    with opened(report(failed)) as watched:
        watched.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        watched.page.click("button[data-copy=report-block]")
        assert watched.page.evaluate("getSelection().toString()").strip() == failed.block_text
        assert watched.page.inner_text("button[data-copy=report-block]") in ("Copied", "Press Ctrl+C")


def test_playing_a_second_clip_stops_the_first(failed):
    with opened(report(failed)) as watched:
        paused = watched.page.evaluate(
            """async () => {
                const players = document.querySelectorAll("audio");
                players[0].loop = players[1].loop = true;
                await players[0].play();
                await players[1].play();
                return [players[0].paused, players[1].paused];
            }"""
        )
        assert paused == [True, False]


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1200, True)])
def test_the_page_fits_its_width_in_light_and_dark(failed, width, dark):
    with opened(report(failed), width=width, dark=dark) as watched:
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width
        paper = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
        ink = watched.page.evaluate("getComputedStyle(document.body).color")
        assert (brightness(paper) < brightness(ink)) == dark


def brightness(colour: str) -> int:
    return sum(int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])


def test_what_the_job_printed_is_text_and_a_key_reaches_every_control(failed):
    with opened(report(failed)) as watched:
        assert "onerror=alert(2)" in "".join(watched.page.locator("pre.log").all_inner_texts())
        assert watched.page.locator("img[src=x]").count() == 0
        watched.page.keyboard.press("Tab")
        reached = set()
        for _ in range(40):
            reached.add(watched.page.evaluate("document.activeElement.tagName"))
            watched.page.keyboard.press("Tab")
        assert {"BUTTON", "AUDIO", "SUMMARY", "PRE"} <= reached
        assert watched.said == []
