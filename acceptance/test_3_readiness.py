"""Phase 3: the readiness run. The container starts, may write its outputs, trains, reports, and ends by itself with exit code 0."""

from __future__ import annotations

import pytest

from acceptance.evidence.job import EndedJob
from acceptance.evidence.launch import Launch

pytestmark = pytest.mark.order(3)


def test_container_started(launch: Launch) -> None:
    """The engine created and started a container with the run's mounts."""
    assert launch.probe.started


def test_mount_writable(launch: Launch) -> None:
    """The container's user can create, rename and remove files in every output directory."""
    if not launch.probe.writable:
        raise launch.not_writable()


def test_train_report_emitted(training: EndedJob) -> None:
    """The job's own report reached the end of its stream, whatever it says."""
    if not training.report_emitted:
        raise training.failure()


def test_exit_clean(training: EndedJob) -> None:
    """The job ended by itself, within its deadline, with exit code 0."""
    if not training.clean():
        raise training.failure()
