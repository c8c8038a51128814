"""A container outlived its session when its owner is dead; where no engine can be asked the reason is given, in bounded time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from acceptance.guardrails import NotApplicable, abandoned_containers
from acceptance.runtimes.ownership import current_owner


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


def test_only_the_container_of_a_dead_session_is_found(client: Path) -> None:
    mine, dead, foreign = current_owner(), owned_by("4194304"), "other:boot:1:1:1"
    rows = [f"{name}\t{owner}\trun-{name}" for name, owner in (("a", mine), ("b", dead), ("c", foreign), ("d", ""))]
    says(client, "cat <<'END'\n" + "\n".join(rows) + "\nEND")
    expected = ["container b: left over from run run-b, whose session is dead: docker rm -f b"]
    assert [str(found) for found in abandoned_containers.findings()] == expected


def test_no_container_is_no_finding(client: Path) -> None:
    says(client, "exit 0")
    assert abandoned_containers.findings() == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "no Docker engine answers"),
        ("exec sleep 60", "TimeoutExpired"),
    ],
    ids=["no engine", "hung engine"],
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
