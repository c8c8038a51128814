"""Pages in a real browser: Chromium without a window, driven by playwright."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")


@dataclass(slots=True)
class Watched:
    """A page with everything that it said and asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    """Messages on the console, errors of scripts, and dialogs."""
    asked: list[str] = field(default_factory=list)
    """Addresses of all requests but data: ones."""

    def stayed_inside(self, folder: Path) -> bool:
        """Whether every request was for a file of this folder."""
        return all(address.startswith(f"{folder.resolve().as_uri()}/") for address in self.asked)


@contextlib.contextmanager
def opened(path: Path, *, width: int = 1200, dark: bool = False) -> Iterator[Watched]:
    """The page of a file, loaded; skips the test where the browser or its driver is missing."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make venv EXTRAS=tests")
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        watched = Watched(context.new_page())
        page = watched.page
        page.on("console", lambda message: watched.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: watched.said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (watched.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: _note(watched, request.url))
        page.goto(path.resolve().as_uri())
        try:
            yield watched
        finally:
            browser.close()


def _note(watched: Watched, address: str) -> None:
    if not address.startswith("data:"):
        watched.asked.append(address)
