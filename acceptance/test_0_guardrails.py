"""Phase 0: failures that tools like this one had are not back, and the repository is whole. Reported; blocking where the policy says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.guardrails import (
    Repository,
    StoredRuns,
    abandoned_containers,
    context_budget,
    dead_references,
    empty_success,
    freshness,
    ignored_files,
    journal_intact,
    learning_margins,
    lfs_pointers,
    machine_paths,
    manifest_intact,
    missing_files,
    policy_calibrated,
    policy_complete,
    portable_names,
    resume,
    stale_files,
)
from acceptance.policy import Policy
from acceptance.session.guardrail_fixtures import Holds

pytestmark = pytest.mark.order(0)


def test_policy_complete(holds: Holds, load_policy: Callable[[], Policy], policy_file: Path) -> None:
    """The threshold policy is there, valid, and silent about no key."""
    holds(policy_complete.findings, load_policy, policy_file)


def test_policy_calibrated(holds: Holds, thresholds: Policy, policy_file: Path) -> None:
    """Every threshold says where it comes from."""
    holds(policy_calibrated.findings, thresholds, policy_file)


def test_empty_success(holds: Holds, stored_runs: StoredRuns) -> None:
    """A run of nothing is no success."""
    holds(empty_success.findings, stored_runs)


def test_journal_intact(holds: Holds, stored_runs: StoredRuns) -> None:
    """The journal of the latest run gives its report."""
    holds(lambda: journal_intact.findings(stored_runs.newest()))


def test_manifest_intact(holds: Holds, stored_runs: StoredRuns) -> None:
    """The clips of the latest good run are the ones in its manifest."""
    holds(lambda: manifest_intact.findings(stored_runs.newest_success(), stored_runs.root))


def test_learning_margins(holds: Holds, thresholds: Policy, stored_runs: StoredRuns) -> None:
    """Something must be learned, and the latest good run learned it."""
    holds(learning_margins.findings, thresholds.learning, stored_runs)


def test_stale_files(holds: Holds, stored_runs: StoredRuns) -> None:
    """The files in the workspace are those of the latest good report."""
    holds(lambda: stale_files.findings(stored_runs.newest_success(), stored_runs.root))


def test_resume(holds: Holds, stored_runs: StoredRuns) -> None:
    """The latest good training went to its end, whatever was interrupted before."""
    holds(lambda: resume.findings(stored_runs.newest_success(), stored_runs))


def test_abandoned_containers(holds: Holds) -> None:
    """No container outlived its session."""
    holds(abandoned_containers.findings)


def test_machine_paths(holds: Holds, repository: Repository) -> None:
    """No tracked file names a directory of somebody's machine."""
    holds(machine_paths.findings, repository)


def test_dead_references(holds: Holds, repository: Repository) -> None:
    """What documents, Makefile and workflows name exists."""
    holds(dead_references.findings, repository)


def test_missing_files(holds: Holds, repository: Repository) -> None:
    """Nothing that the package or the image needs is missing."""
    holds(missing_files.findings, repository)


def test_lfs_pointers(holds: Holds, repository: Repository) -> None:
    """No tracked file is only a Git LFS pointer."""
    holds(lfs_pointers.findings, repository)


def test_ignored_files(holds: Holds, repository: Repository) -> None:
    """No file is tracked and ignored at once."""
    holds(ignored_files.findings, repository)


def test_portable_names(holds: Holds, repository: Repository) -> None:
    """Every tracked name can be checked out on Windows and macOS."""
    holds(portable_names.findings, repository)


def test_freshness(holds: Holds, pytestconfig: pytest.Config, thresholds: Policy) -> None:
    """The files that the policy names were committed not too long ago."""
    holds(freshness.findings, pytestconfig.rootpath, thresholds.freshness)


def test_context_budget(holds: Holds, repository: Repository, thresholds: Policy) -> None:
    """No file is longer than its budget, nor all of them together."""
    holds(context_budget.findings, repository, thresholds.context_budget)
