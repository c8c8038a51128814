"""A table of ten thousand rows in a real browser: sorted, filtered, a page of rows at a time, and quick."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from acceptance.pages import environment
from acceptance.pages.table import Column, Kind, Table
from tests.acceptance.browser import Watched, opened

pytestmark = pytest.mark.long
ROWS = 10_000
PAGE = """{% extends "base.html" %}{% import "parts.html" as parts %}
{% block title %}t{% endblock %}{% block main %}{{ parts.table(table) }}{% endblock %}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    (folder / "page_of_a_table.html").write_text(PAGE)
    rows = [
        [f"id{number}", f"Sentence <b>{number}</b>", None if number == 7 else (number * 37) % ROWS / 100, ("approved", "rejected")[number % 2], None]
        for number in range(ROWS)
    ]  # fmt: skip
    columns = [
        Column(title="id"), Column(title="text"), Column(title="score", kind=Kind.NUMBER),
        Column(title="verdict", kind=Kind.BADGE), Column(title="clip", kind=Kind.PLAYER),
    ]  # fmt: skip
    table = Table(caption="takes", columns=columns, rows=rows)
    path = folder / "table.html"
    path.write_text(environment.render(folder / "page_of_a_table.html", table=table))
    return path


def column(watched: Watched, number: int) -> list[str]:
    return watched.page.locator(f"tbody td:nth-child({number})").all_inner_texts()


def test_it_opens_quickly_and_shows_fifty_rows(page):
    began = time.monotonic()
    with opened(page) as watched:
        assert len(column(watched, 1)) == 50
        assert time.monotonic() - began < 15  # a browser's start included
        assert watched.page.inner_text(".count") == f"rows 1 to 50 of {ROWS}"
        took = watched.page.evaluate(
            """() => {
                const began = performance.now();
                document.querySelectorAll("th button")[2].click();
                return performance.now() - began;
            }"""
        )
        assert took < 1500
        assert watched.said == []


def test_a_heading_sorts_numbers_from_the_highest_and_back_with_missing_ones_last(page):
    with opened(page) as watched:
        watched.page.click("th button >> text=score")
        assert column(watched, 3)[:2] == ["99.99", "99.98"]
        assert watched.page.get_attribute("th >> nth=2", "aria-sort") == "descending"
        watched.page.click("th button >> text=score")
        assert column(watched, 3)[:2] == ["0.00", "0.01"]
        watched.page.click("th button >> text=id")
        assert column(watched, 1)[:3] == ["id0", "id1", "id2"]


def test_words_and_a_verdict_filter_and_pages_go_on(page):
    with opened(page) as watched:
        watched.page.select_option("select", "rejected")
        assert set(column(watched, 4)) == {"rejected"}
        watched.page.fill("input[type=search]", "SENTENCE id12")
        watched.page.locator(".count", has_text="of 55 ").wait_for()
        assert all(text.startswith("id12") for text in column(watched, 1))
        watched.page.click("text=Next rows")
        assert watched.page.inner_text(".count") == f"rows 51 to 55 of 55 ({ROWS} in all)"
        assert watched.page.is_disabled("text=Next rows")
        watched.page.fill("input[type=search]", "no such word")
        watched.page.locator(".count", has_text="no row fits").wait_for()


def test_markup_in_a_cell_is_text(page):
    with opened(page) as watched:
        assert column(watched, 2)[0] == "Sentence <b>0</b>"
        assert watched.page.locator("tbody b").count() == 0
