"""Fixtures of phase 0; it runs with a run of the objective or alone, where nothing is written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from acceptance import policy
from acceptance.failure import EnvironmentBlocked
from acceptance.guardrails import Finding, NotApplicable, Repository, StoredRuns
from acceptance.session.key import run_key, workspace_of

Holds = Callable[..., None]
Value = TypeVar("Value")


@pytest.fixture(scope="session")
def holds() -> Holds:
    """`holds(findings, ...)` fails with what a check finds, and skips where it has nothing to look at."""

    def check(find: Callable[..., Sequence[Finding]], *arguments: object, **options: object) -> None:
        found = _applied(lambda: find(*arguments, **options))
        if found:
            message = f"{found[0]}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
            raise EnvironmentBlocked(message, cause="guardrail_failed", findings="\n".join(map(str, found)))

    return check


@pytest.fixture(scope="session")
def repository(pytestconfig: pytest.Config) -> Repository:
    """The tracked files of the repository."""
    return _applied(lambda: Repository.at(pytestconfig.rootpath))


@pytest.fixture(scope="session")
def policy_file(pytestconfig: pytest.Config) -> Path:
    """The file of the policy in force, which may not exist."""
    given = pytestconfig.option.policy
    return policy.THRESHOLDS if given is None else pytestconfig.invocation_params.dir / given


@pytest.fixture(scope="session")
def load_policy(pytestconfig: pytest.Config, policy_file: Path) -> Callable[[], policy.Policy]:
    """Gives the policy in force, the run's own or one that is loaded once; raises PolicyError."""
    run = pytestconfig.stash.get(run_key, None)
    if run is not None:
        return lambda: run.policy
    return functools.cache(lambda: policy.load(policy_file, pytestconfig.option.thresholds))


@pytest.fixture(scope="session")
def thresholds(load_policy: Callable[[], policy.Policy]) -> policy.Policy:
    """The policy in force; where it is invalid, `policy_complete` says so and the others have nothing to go by."""
    try:
        return load_policy()
    except policy.PolicyError as error:
        pytest.skip(f"the threshold policy cannot be used: {error}")


@pytest.fixture(scope="session")
def guarded_workspace(pytestconfig: pytest.Config) -> Path:
    """The workspace whose earlier runs are looked at."""
    return workspace_of(pytestconfig)


@pytest.fixture(scope="session")
def stored_runs(pytestconfig: pytest.Config, guarded_workspace: Path) -> StoredRuns:
    """Earlier runs, without the one that this session is."""
    run = pytestconfig.stash.get(run_key, None)
    return StoredRuns(guarded_workspace, current=run.record.run_id if run is not None else None)


def _applied(look: Callable[[], Value]) -> Value:
    try:
        return look()
    except NotApplicable as reason:
        pytest.skip(str(reason))
