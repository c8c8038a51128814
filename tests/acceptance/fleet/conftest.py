"""What the tests of fleets share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance import kit as kits


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tiny trainer delivers."""
    return kits.write(tmp_path_factory.mktemp("kit"))
