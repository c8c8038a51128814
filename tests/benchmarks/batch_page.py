"""How long the pages of a large batch take to write, how large they are, and how quickly one opens, sorts and filters in Chromium."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from acceptance.production import batch_page, batch_pictures
from tests.acceptance.browser import opened
from tests.acceptance.production import batch_folders

SORTED = """() => { const began = performance.now(); document.querySelectorAll("th button")[%d].click(); return performance.now() - began; }"""


def main() -> None:
    """Print every number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=5000, help="In two takes each.")
    prompts = parser.parse_args().prompts
    with tempfile.TemporaryDirectory() as folder:
        batch = Path(folder)
        batch_folders.make(batch, prompts)
        began, used = time.monotonic(), time.process_time()
        batch_page.write(batch)
        print(f"written in {time.monotonic() - began:.1f} s, {time.process_time() - used:.1f} CPU-seconds")
        print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
        pictures = [path.stat().st_size for path in (batch / batch_pictures.FOLDER).glob("*.png")]
        page = batch / batch_page.HTML
        print(f"page {page.stat().st_size / 1e6:.2f} MB, {len(pictures)} pictures of {sum(pictures) / 1e6:.2f} MB")
        with opened(page) as watched:
            watched.page.reload()
            loaded = watched.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            print(f"opens in {loaded / 1000:.2f} s")
            for place in (6, 4):  # numbers, texts
                name = watched.page.locator("th button").nth(place).inner_text()
                print(f"sorted by {name} in {watched.page.evaluate(SORTED % place):.0f} ms")
            began = time.monotonic()
            watched.page.get_by_label("Filter").fill("min_similarity")
            watched.page.locator(".count", has_text="in all").wait_for()
            print(f"filtered in {1000 * (time.monotonic() - began):.0f} ms, 120 of them wait for more letters")


if __name__ == "__main__":
    main()
