"""A container or a volume outlived its session when its owner is dead; where no engine can be asked the reason is given, in bounded time."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest

from acceptance.guardrails import NotApplicable, abandoned_containers
from acceptance.runtimes.base import LABEL_OWNER, LABEL_RUN_ID
from acceptance.runtimes.ownership import current_owner
from tests.acceptance.engines import docker, require_engine


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Docker client that a test writes."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "docker"


def says(client: Path, script: str) -> None:
    client.write_text(f"#!/bin/sh\n{script}\n")
    client.chmod(0o755)


def owned_by(pid: str) -> str:
    machine, boot, _, start, namespace = current_owner().split(":")
    return ":".join((machine, boot, pid, start, namespace))


def test_only_what_belongs_to_a_dead_session_is_found(client: Path) -> None:
    mine, dead, foreign = current_owner(), owned_by("4194304"), "other:boot:1:1:1"
    owners = (("a", mine), ("b", dead), ("c", foreign), ("d", ""))
    for kind in ("ps", "volume"):
        rows = [f"{kind}-{name}\t{owner}\trun-{name}\n" for name, owner in owners]
        (client.parent / kind).write_text("".join(rows))
    says(client, f'exec cat "{client.parent}/$1"')
    assert [str(found) for found in abandoned_containers.findings()] == [
        "container ps-b: left over from run run-b, whose session is dead: docker rm -f ps-b",
        "volume volume-b: left over from run run-b, whose session is dead: docker volume rm volume-b",
    ]


@pytest.mark.engine
def test_a_volume_of_a_dead_session_is_found_on_a_real_engine() -> None:
    require_engine()
    name = f"abandoned-{uuid.uuid4().hex[:12]}"
    labels = [f"{LABEL_OWNER}={owned_by('4194304')}", f"{LABEL_RUN_ID}=run-x"]
    docker("volume", "create", *(word for label in labels for word in ("--label", label)), name)
    try:
        found = [str(one) for one in abandoned_containers.findings()]
        assert f"volume {name}: left over from run run-x, whose session is dead: docker volume rm {name}" in found
    finally:
        docker("volume", "rm", "-f", name)


def test_no_container_is_no_finding(client: Path) -> None:
    says(client, "exit 0")
    assert abandoned_containers.findings() == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "^docker ps: Cannot connect to the Docker daemon$"),
        ("echo 'permission denied: /var/run/docker.sock' >&2; exit 1", "^docker ps: permission denied"),
        ("exit 125", "^docker ps: exit code 125$"),
        ("exec sleep 60", "TimeoutExpired"),
    ],
    ids=["no engine", "no permission", "no words", "hung engine"],
)
def test_an_engine_that_does_not_answer_is_a_reason_to_skip(client: Path, script: str, reason: str) -> None:
    says(client, script)
    began = time.monotonic()
    with pytest.raises(NotApplicable, match=reason):
        abandoned_containers.findings()
    assert time.monotonic() - began < 10


def test_without_a_client_it_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotApplicable, match="no Docker client"):
        abandoned_containers.findings()
