"""`voice thresholds`: the policy in force, and where each value comes from."""

from __future__ import annotations

import json
from collections.abc import Callable

import click

from acceptance.cli.output import answers, emit
from acceptance.cli.policy_option import policy_option
from acceptance.policy import Policy

_LONGEST = 60


@click.command()
@answers
@policy_option
def thresholds(policy: Callable[[], Policy], as_json: bool) -> None:
    """Show every threshold in force and where it comes from.

    The command line wins over the file, the file over the built-in defaults. A file that does not exist means the defaults, with a
    notice; one that cannot be used is an error (exit status 2).

    \b
    voice thresholds
    voice thresholds --threshold learning.min_improvement=0.1
    voice thresholds --threshold context_budget.max_file_lines..py=300
    voice thresholds --policy strict.yaml --json
    """
    rules = policy()
    rows = {key: {"value": value, "origin": rules.origin(key)} for key, value in rules.values().items()}
    document = {"schema": "thresholds/1", "sha256": rules.sha256, "notices": list(rules.notices), "values": rows}
    emit(document, _table(rules), as_json=as_json)


def _table(rules: Policy) -> str:
    rows = [(key, _shown(value), rules.origin(key)) for key, value in rules.values().items()]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{key:<{first}}  {value:<{second}}  {origin}" for key, value, origin in rows]
    return "\n".join([*lines, f"{'sha256':<{first}}  {rules.sha256}"])


def _shown(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
