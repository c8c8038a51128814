"""The page of a batch in a real browser: it plays, sorts and filters, asks nobody for anything, and stays quick with 10,000 clips."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from acceptance.production import batch_content, batch_page
from tests.acceptance.browser import Watched, opened
from tests.acceptance.production import batch_folders

MOST_OPENING_S, MOST_ANSWER_S = 10.0, 3.0
"""Of 10,000 clips on a machine that has other work; what was measured stands in the benchmarks' page."""
PLAYED = """player => new Promise((done, failed) => {
    player.addEventListener("timeupdate", () => { if (player.currentTime > 0.1) done(player.currentTime); });
    player.addEventListener("error", () => failed(player.error.message));
    player.play().catch(failed);
})"""
"""Plays until something was heard; the place in seconds. (The page's policy forbids what playwright waits with.)"""
pytestmark = pytest.mark.long


@contextmanager
def page_of(batch: Path, **how: Any) -> Iterator[Watched]:
    """The batch's page; at its end nothing but its files was asked for, and the browser said nothing."""
    with opened(batch / batch_page.HTML, **how) as watched:
        yield watched
        assert watched.asked
        assert watched.stayed_inside(batch)
        assert watched.said == []


def cells(watched: Watched, kind: str, place: int) -> list[str]:
    """The texts of one kind in one column."""
    return watched.page.locator(f"[data-table] tbody tr > td:nth-child({place}) .{kind}").all_inner_texts()


def test_a_clip_plays_from_the_folder_beside_the_page(shown_batch):
    with page_of(shown_batch) as watched:
        page = watched.page
        assert not [url for url in watched.asked if url.endswith(".flac")]
        player = page.locator("[data-table] tbody audio").first
        assert player.evaluate(PLAYED) > 0.1
        assert len({url for url in watched.asked if url.endswith(".flac")}) == 1
        assert player.evaluate("player => player.duration") == pytest.approx(
            batch_content.read(shown_batch).takes[0].seconds, abs=0.05
        )


def test_a_second_player_stops_the_first(shown_batch):
    with page_of(shown_batch) as watched:
        page = watched.page
        players = page.locator("[data-table] audio")
        assert players.nth(0).evaluate(PLAYED) > 0.1
        assert players.nth(1).evaluate(PLAYED) > 0.1
        assert players.nth(0).evaluate("player => player.paused && player.currentTime < player.duration")


def test_a_click_on_score_sorts_by_it_and_another_turns_it_round(shown_batch):
    with page_of(shown_batch) as watched:
        page = watched.page
        scores = sorted(
            (round(one.score, 4) for one in batch_content.read(shown_batch).takes if one.score is not None),
            reverse=True,
        )
        page.get_by_role("button", name="score").click()
        assert cells(watched, "number", 6) == [f"{score:.1f}" for score in scores[:50]]
        page.get_by_role("button", name="score").click()
        assert cells(watched, "number", 6) == [f"{score:.1f}" for score in scores[::-1][:50]]
        assert page.locator("th[aria-sort=ascending]").count() == 1


def test_the_verdict_and_words_filter_the_takes(shown_batch):
    with page_of(shown_batch) as watched:
        page = watched.page
        takes = batch_content.read(shown_batch).takes
        page.get_by_label("verdict").select_option("rejected")
        rejected = [one for one in takes if one.verdict == "rejected"]
        assert cells(watched, "text", 2) == [one.id for one in rejected]
        page.get_by_label("Filter").fill("Production.MIN_similarity")
        alike = [one for one in rejected if any("min_similarity" in reason for reason in one.reasons)]
        page.locator(".count", has_text=f"of {len(alike)} (200 in all)").wait_for()
        assert cells(watched, "text", 2) == [one.id for one in alike]
        page.get_by_label("Filter").fill("no such words")
        page.locator(".count", has_text="no row fits").wait_for()


def test_a_reason_shows_its_takes(shown_batch):
    with page_of(shown_batch) as watched:
        page = watched.page
        page.get_by_label("verdict").select_option("approved")
        page.locator("[data-filter='production.min_similarity']").click()
        alike = [
            one
            for one in batch_content.read(shown_batch).takes
            if any("min_similarity" in each for each in one.reasons)
        ]
        assert cells(watched, "text", 2) == [one.id for one in alike][:50]


def test_pages_of_rows_follow_each_other_and_can_be_chosen(shown_batch):
    with page_of(shown_batch) as watched:
        page = watched.page
        takes = batch_content.read(shown_batch).takes
        page.get_by_role("button", name="Next rows").click()
        assert cells(watched, "text", 2) == [one.id for one in takes[50:100]]
        page.get_by_label("Page").fill("4")
        page.get_by_label("Page").press("Enter")
        assert cells(watched, "text", 2) == [one.id for one in takes[150:]]
        assert page.get_by_role("button", name="Next rows").is_disabled()


def test_a_hostile_prompt_runs_nothing_and_is_shown_as_text(shown_batch):
    with page_of(shown_batch) as watched:
        page = watched.page
        assert "<script>alert(1)</script>" in page.locator("[data-table] tbody tr").first.inner_text()
        assert page.locator("main script").count() == 1


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_the_page_is_never_wider_than_the_window_and_a_player_has_room_for_its_button(shown_batch, width):
    with page_of(shown_batch, width=width, dark=width == 820) as watched:
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        assert watched.page.locator("[data-table] audio").first.bounding_box()["width"] >= 150


def test_all_columns_but_the_players_are_on_paper(shown_batch):
    with page_of(shown_batch, width=720) as watched:
        watched.page.emulate_media(media="print")
        table = watched.page.locator("[data-table] table")
        assert table.evaluate("table => table.getBoundingClientRect().right") <= 720
        assert not watched.page.locator("audio").first.is_visible()
        assert watched.page.get_by_text("rows 1 to 50 of 200").is_visible()


def test_ten_thousand_clips_open_quickly_and_answer_quickly(tmp_path):
    batch_folders.make(tmp_path, 5000)
    batch_page.write(tmp_path)
    assert (tmp_path / batch_page.HTML).stat().st_size < 10_000_000
    began = time.monotonic()
    with page_of(tmp_path) as watched:
        page = watched.page
        page.wait_for_selector("[data-table] tbody tr")
        assert time.monotonic() - began < MOST_OPENING_S
        assert page.locator("[data-table] tbody tr").count() == 50
        assert page.evaluate("document.querySelectorAll('*').length") < 5000
        began = time.monotonic()
        page.get_by_role("button", name="score").click()
        page.get_by_label("verdict").select_option("rejected")
        page.locator(".count", has_text="(10000 in all)").wait_for()
        assert time.monotonic() - began < MOST_ANSWER_S
        worst = max(one.score for one in batch_content.read(tmp_path).takes if one.verdict == "rejected")
        assert cells(watched, "number", 6)[0] == f"{round(worst, 4):.1f}"
