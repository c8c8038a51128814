"""A session that is killed leaves a container behind; the next one removes it before it restores what the container overwrote."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.engines import docker, require_engine, tiny_base_image
from tests.acceptance.sessions.conftest import Bench

pytestmark = pytest.mark.engine

SCRIPT = "while :; do echo late > $CHECKPOINT_PATH; echo 1 > ${TRAIN_STATUS_PATH%/*}/job.pid; sleep 0.1; done"


@pytest.fixture
def image(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A tag of this test's own and a build context for it."""
    require_engine()
    tag, context = f"session-test-{uuid.uuid4().hex[:12]}:latest", tmp_path / "context"
    context.mkdir()
    with tiny_base_image() as base:
        (context / "Dockerfile").write_text(f"FROM {base}\n")
        yield tag, context
        docker("rmi", "-f", tag)


def test_the_container_of_a_killed_session_is_removed_and_the_outputs_restored(
    bench: Bench, image: tuple[str, Path]
) -> None:
    tag, context = image
    options = (
        "-q",
        "--runtime",
        "docker",
        "--set",
        f"image={tag}",
        "--set",
        f"context={context}",
        "--set",
        "dockerfile=Dockerfile",
    )
    before = bench.plant_outputs()
    process = bench.start(*options, "--set", f"command=/bin/sh -c '{SCRIPT}'")
    bench.running_job(process)
    process.kill()
    process.communicate()
    run_id = (bench.workspace / "artifacts/latest").resolve().name
    mine = ("ps", "-aq", "--filter", f"label=voice-acceptance.run-id={run_id}")
    assert docker(*mine)
    session = bench.run(*options, "--set", "command=/bin/sh -c 'exit 30'")
    assert docker(*mine) == ""
    assert session.block["cause"] == "trainer_exit_nonzero", session.stdout
    assert bench.outputs() == before
    assert any(run_id in warning for warning in session.report["warnings"])
