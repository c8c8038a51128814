"""The Dockerfile builds with the classic builder, from a small context, without a network."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

ALLOWED = re.compile(
    r"trainer(/.*)?|docker(/requirements(/(image|musicgen|whisper)\.lock)?|/voice-train(/run_voice_train\.sh)?|/wheelhouse(/(image|musicgen|whisper)(/[^/]+)?)?)?"
)


@pytest.fixture(scope="module")
def dockerfile(project: Path) -> str:
    return (project / "docker" / "voice-train" / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def context(project: Path) -> set[str]:
    """Paths that the engine gets, by the ignore file."""
    patterns = [line for line in (project / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    return exclude_paths(str(project), patterns)


@pytest.mark.parametrize(
    "feature", [r"^# *syntax=", r"^(RUN|COPY|ADD) --(mount|network|security|chmod|link|parents|exclude)", r"<<-?\w"]
)
def test_nothing_in_it_needs_buildkit(dockerfile: str, feature: str) -> None:
    assert not re.search(feature, dockerfile, re.MULTILINE)


def test_the_classic_builder_parses_it(docker_cli: str, project: Path, tmp_path: Path) -> None:
    # An empty context: a Dockerfile that parses gets as far as its first COPY.
    done = subprocess.run(
        [docker_cli, "build", "--force-rm", "--build-arg=BASE_IMAGE=scratch", "--network=none",
         f"--file={project / 'docker' / 'voice-train' / 'Dockerfile'}", str(tmp_path)],
        env=os.environ | {"DOCKER_BUILDKIT": "0"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert re.search(r"Step 5/\d+ : COPY docker/wheelhouse /wheelhouse\n", done.stdout), done.stdout + done.stderr
    assert "COPY failed" in done.stderr


def test_the_default_base_is_a_full_version(dockerfile: str) -> None:
    assert re.search(r"^ARG BASE_IMAGE=python:3\.11\.\d+-slim-bookworm$", dockerfile, re.MULTILINE)


def test_packages_come_from_the_wheelhouse_by_hash(dockerfile: str) -> None:
    assert {"--no-index", "--no-deps", "--require-hashes"} <= set(dockerfile.split())


def test_every_source_that_is_copied_is_in_the_context(dockerfile: str, context: set[str]) -> None:
    sources = re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE)
    assert len(sources) == 4
    for source in sources:
        if not source.startswith("docker/wheelhouse"):
            assert source in context


def test_nothing_else_is_in_the_context(context: set[str]) -> None:
    assert [path for path in context if not ALLOWED.fullmatch(path) and path != ".dockerignore"] == []
    assert not [path for path in context if path.endswith(".pyc") or "__pycache__" in path]


def test_it_runs_as_nobody_in_particular(dockerfile: str) -> None:
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", dockerfile, re.MULTILINE)
