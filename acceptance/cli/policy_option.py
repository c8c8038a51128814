"""`--policy` and `--threshold` of every command that uses thresholds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from acceptance.policy.effective import Policy
from acceptance.policy.loading import load


def policy_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator below `@answers`: the function is given `policy`, a function that loads it.

    The loading is the command's own step, so that its errors are answered like all others: `rules = policy()`.
    """

    @click.option(
        "--policy",
        "policy_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Policy file [acceptance/thresholds.yaml].",
    )
    @click.option(
        "--threshold",
        "thresholds",
        multiple=True,
        metavar="SECTION.KEY=VALUE",
        help="Override one threshold; may be repeated.",
    )
    @functools.wraps(command)
    def wrapped(*args: Any, policy_file: Path | None, thresholds: tuple[str, ...], **kwargs: Any) -> Any:
        return command(*args, policy=functools.partial(_load, policy_file, thresholds), **kwargs)

    return wrapped


def _load(path: Path | None, overrides: tuple[str, ...]) -> Policy:
    """The policy; what it has to say goes to stderr, so that --json stays one document."""
    policy = load(path, overrides)
    for notice in policy.notices:
        click.echo(f"notice: {notice}", err=True)
    return policy
