"""`voice announce`: a grade that crossed the policy's threshold becomes an issue or a pull request on GitHub."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from acceptance.cli.options import workspace_option
from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.cli.policy_option import policy_option
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from trainer.errors import DataError
from trainer.files.printable import last_line

if TYPE_CHECKING:
    from acceptance.scorecards.crossing import Crossing

_TIMEOUT_S = 120
_MOST_LISTED = "1000"


@click.command()
@click.argument("run", metavar="[RUN]", required=False)
@click.option("--against", metavar="RUN", help="The earlier run  [the one before it of the same speaker's clips].")
@click.option("--pull-request", is_flag=True, help="Of the branch that is checked out, instead of an issue.")
@click.option("--dry-run", is_flag=True, help="Print title and body, and open nothing.")
@workspace_option("history")
@policy_option
@answers
def announce(
    policy: Callable[[], Policy],
    run: str | None,
    against: str | None,
    pull_request: bool,
    dry_run: bool,
    workspace: Path,
    as_json: bool,
) -> None:
    """Tell GitHub that a grade crossed the threshold.

    The threshold is scorecard.promotion_minimum_grade. RUN is a scored run, by default the newest. The issue holds the comparison of voice
    compare; it is opened with GitHub's program gh, and only once. Ends with 0 if the grade crossed, 1 if not, 2 if it could not be opened.

    \b
    voice announce --dry-run
    voice announce ten-minutes --against five-minutes
    """
    from acceptance.scorecards import crossing, runs

    rules = policy()
    history = runs.load(workspace / runs.HISTORY)
    for notice in history.notices():
        click.echo(f"notice: {notice}", err=True)
    found = crossing.find(history, rules, name=run, against=against)
    if found is None:
        emit({"crossed": False}, "no grade crossed scorecard.promotion_minimum_grade", as_json=as_json)
        finish(NO)
    kind, title, body = "pr" if pull_request else "issue", found.title(), found.body(_compared(found, rules))
    opened = None if dry_run else _opened(kind, title, body)
    text = f"{title}\n\n{body}" if dry_run else opened or "it was opened before"
    emit({"crossed": True, "title": title, "body": body, "opened": opened}, text, as_json=as_json)
    finish(YES)


def _compared(found: Crossing, rules: Policy) -> str:
    """The comparison, or the scorecard alone with the reason why there is none."""
    from acceptance.scorecards import comparison, tables

    why = "It is the first scored run of this voice."
    if found.before is not None:
        try:
            return tables.comparison_markdown(comparison.compare(found.before, found.after, rules), rules)
        except (HarnessError, DataError) as error:
            why = f"It cannot be compared with {found.before.run_id}: {error}"
    return f"{why}\n\n{found.scorecard(rules)}"


def _opened(kind: str, title: str, body: str) -> str | None:
    """The address of what was opened; None if one with this title, open or closed, is there already. Raises HarnessError(gh_failed)."""
    listed = _gh(kind, "list", "--state", "all", "--limit", _MOST_LISTED, "--json", "title")
    try:
        known = {str(one["title"]) for one in json.loads(listed)}
    except (ValueError, TypeError, KeyError) as error:
        raise HarnessError(f"gh {kind} list: its answer cannot be read; try it by hand", cause="gh_failed") from error
    return None if title in known else _gh(kind, "create", "--title", title, "--body-file", "-", text=body).strip()


def _gh(*words: str, text: str = "") -> str:
    try:
        done = subprocess.run(
            ["gh", *words], input=text, capture_output=True, text=True, encoding="utf-8", timeout=_TIMEOUT_S, check=False
        )  # fmt: skip
    except FileNotFoundError as error:
        raise HarnessError(
            "gh, GitHub's program, is not installed; install it, or see what it would get: voice announce --dry-run",
            cause="gh_failed",
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HarnessError(f"gh {words[0]} did not end; try it by hand: gh auth status", cause="gh_failed") from error
    if done.returncode:
        said = last_line(done.stderr)
        raise HarnessError(f"gh {words[0]} {words[1]}: {said}; see gh auth status", cause="gh_failed")
    return done.stdout
