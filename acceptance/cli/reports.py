"""`voice report` and `voice causes`: the report of a run, also of a killed one, and what every cause means."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import click

from acceptance.causes import BEGIN_WITH_YOURS, CAUSES
from acceptance.cli.options import workspace_option
from acceptance.cli.output import NO, YES, answers, finish
from acceptance.failure import HarnessError
from acceptance.record import workspace as workspaces
from acceptance.record.record import RunRecord
from acceptance.report import block, cycle_block, summary
from acceptance.verdict import ObjectiveStatus
from trainer.errors import TrainerError
from trainer.files.printable import error_line, notice_line


@click.command()
@click.argument("run", required=False)
@workspace_option("runs")
@click.option("--html", is_flag=True, help="Write the page anew and print its path.")
@click.option("--open", "open_it", is_flag=True, help="Write the page anew and open it in a browser.")
@answers
def report(run: str | None, workspace: Path, html: bool, open_it: bool, as_json: bool) -> None:
    """Show the report of a run, also of a killed one.

    RUN is the id of a run [the newest]. It is rebuilt from the journal if the session was killed before it could write it. Ends with 0 for
    success and 1 for a blocked objective. RUN may also be the folder of a batch that voice produce made; then it ends as that did.

    \b
    voice report
    voice report 20261122T032810Z-ffc5bf --json
    voice report --open
    voice report batch/ --html
    """
    if as_json and (html or open_it):
        raise click.UsageError("--json and --html (or --open) exclude each other")
    if run is not None and (batch := Path(run)).is_dir():
        _report_of_batch(batch, html=html, open_it=open_it, as_json=as_json)
    try:
        directory = workspaces.find_run(workspace, run)
        live = workspaces.is_live(
            workspace, directory.name
        )  # first: a session that ends meanwhile must not look killed
        record = workspaces.load_run(directory)
    except FileNotFoundError as error:
        raise HarnessError(f"{error}; start one with pytest acceptance -q", cause="run_missing") from error
    except (OSError, ValueError) as error:
        raise HarnessError(f"{error}; start another run with pytest acceptance -q", cause="run_unreadable") from error
    if live:
        click.echo(notice_line(f"run {directory.name} is still going on; this is what is known so far"), err=True)
    if record.exit_status is None and not live:
        record = record.completed()
        _write(directory, record)
    if html or open_it:
        _show_page(directory, record, workspace, open_it=open_it)
    elif as_json:
        click.echo(block.dumps(block.document(record)), nl=False)
    else:
        parts = (summary.render(record, directory), block.block(record), cycle_block.block(record))
        click.echo("\n\n".join(filter(None, parts)))
    finish(YES if record.whole_verdict().status is ObjectiveStatus.SUCCESS else NO)


def _show_page(directory: Path, record: RunRecord, workspace: Path, *, open_it: bool) -> None:
    """Write the page of a run with the scores of its voice, print its path, and open it if asked to; raises HarnessError."""
    from acceptance.report import run_page
    from acceptance.scorecards import run_scores

    try:
        page = run_page.write(
            record, directory, scores=run_scores.of_checkpoint(workspace, record.checkpoint.get("sha256"))
        ).absolute()
    except TrainerError as error:
        raise HarnessError(str(error), cause=error.cause) from error
    _show(page, open_it=open_it)


def _report_of_batch(batch: Path, *, html: bool, open_it: bool, as_json: bool) -> None:
    """Print the report of a sorted batch, or write its pages anew; ends the command. Raises HarnessError and TrainerError."""
    from acceptance.production import batch_content, batch_folder, batch_markdown, batch_page
    from acceptance.production.report import NAME

    content = batch_content.read(batch)
    if html or open_it:
        with batch_folder.held(batch, going_on=True):
            *_, page = batch_page.write(batch)
        _show(page.absolute(), open_it=open_it)
    elif as_json:
        click.echo((batch / NAME).read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(batch_markdown.render(content), nl=False)
    counts = content.summary.counts
    finish(YES if counts.prompts_approved == counts.prompts else NO)


def _show(page: Path, *, open_it: bool) -> None:
    """Print where a page is, and open it if asked to; raises HarnessError(no_browser)."""
    click.echo(str(page))
    if open_it and not webbrowser.open(page.as_uri()):
        raise HarnessError(f"no browser could be started here; open the page yourself: {page}", cause="no_browser")


def _write(directory: Path, record: RunRecord) -> None:
    """The report files that the killed session could not write; a disk that refuses them takes nothing from what is printed."""
    from acceptance.report import run_page

    try:
        block.save(record, directory)
        cycle_block.save(record, directory)
        run_page.write(record, directory)
    except TrainerError as error:
        click.echo(error_line(error, error.cause), err=True)


@click.command()
@answers
def causes(as_json: bool) -> None:
    """List every cause with its class and what to do.

    \b
    voice causes | grep docker
    """
    if not as_json:
        click.echo(causes_table())
        return
    rows = {
        name: {"class": "none" if cause.nothing_failed else cause.failure_class, "action": cause.action}
        for name, cause in CAUSES.items()
    }
    click.echo(json.dumps(rows, indent=2, default=str))


def causes_table() -> str:
    """Every cause with its class and action as a Markdown table, in the order of the code."""
    rows = ["| cause | class | what to do |", "|---|---|---|"]
    for name, cause in CAUSES.items():
        action = cause.action.replace("{run}", "pytest acceptance -q").replace("{latest}", "artifacts/latest")
        action = action.replace("{restore_audio}", BEGIN_WITH_YOURS)
        action = action.replace("{", "<").replace("}", ">").replace("|", "\\|")
        rows.append(f"| `{name}` | {cause.class_name} | {action} |")
    return "\n".join(rows)
