"""Finished batches, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.production import batch_page
from tests import shared
from tests.acceptance.production import batch_folders

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>' onload='x \"\x1b[31mred\x1b[0m | `x` [a](javascript:alert(3)) "
    "\x00\u202e {{ 7 * 7 }} <!-- ]]> &amp; \\| __b__"
)


@pytest.fixture(scope="session")
def small_batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve takes without pages, the first prompt hostile; not to be changed."""
    return shared.once(tmp_path_factory, "small-batch", lambda folder: batch_folders.make(folder, 6, texts=[HOSTILE]))


@pytest.fixture(scope="session")
def shown_batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred takes with their pages; not to be changed."""

    def make(folder: Path) -> None:
        batch_folders.make(folder, 100, texts=[HOSTILE])
        batch_page.write(folder)

    return shared.once(tmp_path_factory, "shown-batch", make)
