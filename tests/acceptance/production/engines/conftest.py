"""One batch, and the same one spoken without an interruption."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acceptance.production.engines.local import Local
from tests import shared
from tests.trainer.production import batches
from trainer.production import layout

SHARDS = (1, 2, 3, 4)
TEXTS = (*batches.TEXTS, "Stay here.", "Come back.", "Morning.", "Monday.", "Garden.")


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight takes in four shards, made by two local processes; not to be changed."""

    def make(batch: Path) -> None:
        batches.make(batch, TEXTS, shards=len(SHARDS))
        Local(processes=2).run(batch, SHARDS)

    return shared.once(tmp_path_factory, "engines", make)


@pytest.fixture
def batch(spoken: Path, tmp_path: Path) -> Path:
    """The same batch with no shard yet."""
    folder = Path(shutil.copytree(spoken, tmp_path / "batch"))
    shutil.rmtree(folder / layout.SHARDS)
    return folder
