"""A shard in the training image, as a pod runs it: without network, the same bytes as on the host."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.acceptance.engines import docker
from tests.trainer.production import batches
from trainer.production import layout

pytestmark = pytest.mark.engine

PROJECT = Path(__file__).parents[3]


def test_the_image_makes_the_shard_that_the_host_makes(finished: Path, training_image: str, tmp_path: Path) -> None:
    batch = Path(shutil.copytree(finished, tmp_path / "batch"))
    place = layout.shard_folder(batch, 2, 3)
    shutil.rmtree(place)
    printed = docker(
        "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", f"--user={os.getuid()}:{os.getgid()}",
        f"--volume={PROJECT / 'trainer'}:/opt/voice-acceptance/trainer:ro", f"--volume={batch}:/batch", training_image,
        "python", "-m", "trainer", "shard", "/batch", "2",
    )  # fmt: skip
    assert printed.splitlines()[-1] == "SHARD 2/3 done: 2 takes"
    assert batches.content(place) == batches.content(layout.shard_folder(finished, 2, 3))
