"""`voice report` and `voice causes`: as `python -m acceptance`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from acceptance.__main__ import causes_table, main
from acceptance.causes import CAUSES
from acceptance.cli.output import answers_errors, finish, json_option
from acceptance.record import workspace as workspaces
from trainer.errors import DataError


@click.command()
@click.argument("run", required=False)
@click.option("--workspace", type=click.Path(path_type=Path), default=Path(), help="Directory of the runs (default: here).")
@json_option
@answers_errors
def report(run: str | None, workspace: Path, as_json: bool) -> None:
    """The report of a run, rebuilt from its journal where the session was killed (default: the newest).

    \b
    voice report
    voice report 20261122T032810Z-ffc5bf --json
    """
    try:
        workspaces.find_run(workspace, run)
    except FileNotFoundError as error:
        raise DataError(f"{error}; start one with pytest acceptance -q", cause="run_missing") from error
    finish(main(["report", *([run] if run else []), f"--workspace={workspace}", *(["--json"] if as_json else [])]))


@click.command()
@json_option
def causes(as_json: bool) -> None:
    """Every cause of a blocked objective, with its class and what to do.

    \b
    voice causes | grep docker
    """
    if not as_json:
        click.echo(causes_table())
        return
    rows = {name: {"class": "none" if cause.nothing_failed else cause.failure_class, "action": cause.action} for name, cause in CAUSES.items()}
    click.echo(json.dumps(rows, indent=2, default=str))
