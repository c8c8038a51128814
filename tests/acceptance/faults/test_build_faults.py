"""The image cannot be built: every reason is environment_blocked at phase_2_build.image_built, with the whole log kept."""

from __future__ import annotations

import time

import pytest

from tests.acceptance.engines import docker
from tests.acceptance.faults.site import Site, check_blocked
from tests.acceptance.harness import collect, start_acceptance

IMAGE_BUILT = "phase_2_build.image_built"


@pytest.mark.parametrize(
    ("dockerfile", "cause"),
    [
        pytest.param("FROM registry.invalid/nowhere:1", "base_image_missing", id="base image missing"),
        pytest.param('FROM BASE\nRUN echo "seen in the log"; exit 7', "build_step_failed", id="failing RUN"),
        pytest.param("FROM BASE\nRUNN true", "dockerfile_invalid", id="unknown instruction"),
        pytest.param("", "dockerfile_invalid", id="empty Dockerfile"),
        pytest.param("FROM BASE\nCOPY nowhere /there", "build_context_missing_file", id="COPY of a missing file"),
        pytest.param(
            'FROM BASE\nRUN echo "ERROR: No matching distribution found for torch==2.13.0"; exit 1',
            "build_packages_unavailable",
            id="no packages",
        ),
        pytest.param(
            'FROM BASE\nRUN echo "dd: write error: No space left on device"; exit 1', "disk_full_engine", id="disk full"
        ),
    ],
)
def test_a_build_that_fails_names_its_reason(docker_site: Site, dockerfile: str, cause: str) -> None:
    session = docker_site.run(dockerfile=dockerfile)
    check_blocked(session, "environment_blocked", IMAGE_BUILT, cause, kept=docker_site.kept)
    assert (
        session.outcome("phase_3_readiness.container_started")
        == session.outcome("phase_4_artifacts.learned")
        == "blocked"
    )
    if "seen in the log" in dockerfile:
        assert "seen in the log" in session.log("build.log").splitlines()


def test_a_missing_dockerfile(docker_site: Site) -> None:
    docker_site.objective["dockerfile"] = "nowhere/Dockerfile"
    check_blocked(docker_site.run(), "environment_blocked", IMAGE_BUILT, "dockerfile_missing", kept=docker_site.kept)


def test_a_build_that_passes_its_deadline_leaves_no_container(docker_site: Site) -> None:
    docker_site.objective["build_deadline_s"] = 1
    session = docker_site.run(dockerfile="FROM BASE\nRUN echo started; sleep 60")
    check_blocked(session, "environment_blocked", IMAGE_BUILT, "build_deadline_exceeded", kept=docker_site.kept)
    assert "started" in session.log("build.log")


def test_a_failed_build_leaves_the_previous_image_runnable(docker_site: Site) -> None:
    image = f"{(docker_site.base or '').replace(':', '-')}-job:latest"
    docker("tag", docker_site.base or "", image)
    before = docker("image", "inspect", "-f", "{{.Id}}", image)
    check_blocked(
        docker_site.run(dockerfile="FROM BASE\nRUN exit 1"),
        "environment_blocked",
        IMAGE_BUILT,
        "build_step_failed",
        kept=docker_site.kept,
    )
    assert docker("image", "inspect", "-f", "{{.Id}}", image) == before


def test_sources_that_change_during_the_build_are_noticed(docker_site: Site) -> None:
    """The context leads to a file that grows while the image builds."""
    context = docker_site.workspace.parent / "context"
    context.mkdir()
    growing = context / "growing"
    growing.touch()
    process = start_acceptance(docker_site.workspace, *docker_site.arguments(dockerfile="FROM BASE\nRUN sleep 2"))
    give_up = time.monotonic() + 20
    while "Running in" not in _build_log(docker_site) and time.monotonic() < give_up:
        time.sleep(0.05)
    growing.write_text("more")
    session = collect(process)
    assert session.decision == ("environment_blocked", "phase_2_build.sources_unchanged", "sources_changed"), (
        session.stdout
    )
    assert session.outcome("phase_3_readiness.container_started") == "blocked"


def _build_log(site: Site) -> str:
    path = site.path("artifacts/latest/build.log")
    return path.read_text() if path.exists() else ""
