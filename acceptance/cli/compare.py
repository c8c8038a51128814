"""`voice compare`: two scored runs side by side, and whether the second should take the place of the first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from acceptance.cli.options import PATH, workspace_option
from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.cli.policy_option import policy_option
from acceptance.policy import Policy
from trainer.files import output_file
from trainer.files.output_file import Input, Output


@click.command()
@click.argument("run_a", metavar="FIRST")
@click.argument("run_b", metavar="SECOND")
@workspace_option("history")
@click.option("--plot", type=PATH, metavar="PNG", help="Also draw the differences with their intervals.")
@click.option("--html", type=PATH, metavar="FILE", help="Also write a page: prompt by prompt, side by side.")
@click.option(
    "--clips",
    type=PATH,
    nargs=2,
    metavar="FIRST_DIR SECOND_DIR",
    help="Folders with the clips that were evaluated, for the page's players.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is no earlier result of this program, too.")
@answers
@policy_option
def compare(
    policy: Callable[[], Policy],
    run_a: str,
    run_b: str,
    workspace: Path,
    plot: Path | None,
    html: Path | None,
    clips: tuple[Path, Path] | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Tell whether a second run is better than a first.

    The answer is: promote the second, hold it, or cannot tell.
        A run is given by its id, or by any part of it that only one id has. The second is called better where the confidence interval over common
    prompts excludes zero and the difference is larger than repeated runs of one recipe show (scorecard.min_difference); it is promoted
    if it is also good enough by itself, another checkpoint than the first, and spoken with the same settings. Ends with 0 for
    promote, 1 for hold and cannot tell, 2 if the two cannot be compared.

    \b
    voice compare five-minutes ten-minutes
    voice compare 20261122T03 eval-1f0c --plot differences.png
    voice compare five-minutes ten-minutes --html compare.html --clips five/ ten/
    voice compare five-minutes ten-minutes --threshold scorecard.confidence=0.99 --json
    """
    from acceptance.scorecards import comparison, runs, tables

    if clips and html is None:
        raise click.UsageError("--clips is for the page's players; give --html too")
    rules = policy()
    _check_outputs(workspace / runs.HISTORY, plot, html, overwrite=overwrite)
    history = runs.load(workspace / runs.HISTORY)
    for notice in history.notices():
        click.echo(f"notice: {notice}", err=True)
    found = comparison.compare(history.find(run_a), history.find(run_b), rules)
    if plot is not None:
        from acceptance.scorecards import plot as plots

        plots.write(found, plot, rules)
    if html is not None:
        from acceptance.scorecards import compare_page

        folders = compare_page.ClipFolders(first=clips[0], second=clips[1]) if clips else None
        compare_page.write(found, html, rules, folders)
    emit(
        tables.comparison_document(found, history.notices()), tables.comparison_markdown(found, rules), as_json=as_json
    )
    finish(YES if found.recommendation is comparison.Recommendation.PROMOTE else NO)


def _check_outputs(history: Path, plot: Path | None, html: Path | None, *, overwrite: bool) -> None:
    """Raises DataError and TrainingError as `output_file.check`, before any work."""
    outputs = []
    if plot is not None:
        outputs.append(Output(option="--plot", path=plot, sign=output_file.PICTURE_SIGN))
    if html is not None:
        from acceptance.pages import environment

        outputs.append(Output(option="--html", path=html, sign=environment.SIGN))
    output_file.check(outputs, [Input(name="the history", path=history)], overwrite=overwrite)
