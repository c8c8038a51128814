"""`voice fleet`: one acceptance run for each voice of a folder."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from acceptance.cli.options import PATH
from acceptance.cli.output import NO, NO_ANSWER, YES, answers, emit, finish
from acceptance.cli.spending_option import no_cost_option
from acceptance.fleet.engines import FleetEngine, LocalEngine
from acceptance.fleet.fleet import DOCUMENT, JUNIT, PAGE, Fleet, Listener, append_summary, as_table, document
from acceptance.fleet.ray_engine import RayEngine
from acceptance.fleet.rows import FleetRow
from acceptance.fleet.session_options import SessionOptions
from acceptance.production.engines.ray_cluster import AUTO
from acceptance.runtimes.signals import TerminationAsInterrupt
from trainer.files.printable import notice_line, printable


@click.command()
@click.argument("folder", type=PATH, metavar="DIR")
@click.option(
    "--output", type=PATH, required=True, metavar="DIR", help="Gets a workspace for each voice, and the table."
)
@click.option(
    "--engine", type=click.Choice(("local", "ray")), default="local", show_default=True, help="Where sessions run."
)
@click.option("--address", default=AUTO, show_default=True, metavar="HOST:PORT", help="Of the Ray cluster's head.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Sessions at a time  [1; ray: what the cluster's cores allow]."
)
@click.option("--resume", is_flag=True, help="Run only those that did not succeed.")
@click.option(
    "--runtime", type=click.Choice(("docker", "process", "auto")), help="Overrides every objective's runtime."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key of every objective.")
@click.option("--policy", type=PATH, metavar="FILE", help="Policy file [acceptance/thresholds.yaml].")
@click.option("--threshold", "thresholds", multiple=True, metavar="SECTION.KEY=VALUE", help="Override one threshold.")
@no_cost_option
@answers
def fleet(
    folder: Path,
    output: Path,
    engine: str,
    address: str,
    jobs: int | None,
    resume: bool,
    runtime: str | None,
    overrides: tuple[str, ...],
    policy: Path | None,
    thresholds: tuple[str, ...],
    no_cost: bool,
    as_json: bool,
) -> None:
    """Train and judge every recording of a folder.

    A voice is an objective (*.toml) in DIR, or a recording that no objective names; a text of what is said may lie beside it. Each gets a
    workspace of its own and a whole pytest acceptance session. Ends with 0 if all succeeded, with 1 if not, with 2 after a signal.

    \b
    voice fleet recordings/ --output fleet --jobs 4
    voice fleet recordings/ --output fleet --jobs 4 --resume
    """
    options = SessionOptions(
        overrides=overrides, runtime=runtime, policy=policy, thresholds=thresholds, no_cost=no_cost
    )
    again = _again(folder, output, engine, address, jobs, options)
    work = Fleet(
        folder=folder,
        output=output,
        options=options,
        engine=_engine(engine, address, jobs),
        listener=_Lines(),
        resume_command=again,
    )
    signals = TerminationAsInterrupt()
    signals.install()
    interrupted = False
    try:
        work.run(resume=resume)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        signals.restore()
    found = work.rows
    text = f"{as_table(found)}\n\nwritten to {output}: {PAGE}, {DOCUMENT}, {JUNIT}"
    emit(document(found, engine), text, as_json=as_json)
    try:
        append_summary(found, os.environ)
    except OSError as error:
        click.echo(notice_line(f"the summary for the CI system was not written: {error}"), err=True)
    if interrupted:
        click.echo(notice_line(f"the fleet was interrupted; go on: {again}"), err=True)
    finish(NO_ANSWER if interrupted else YES if all(row.succeeded for row in found) else NO)


def _engine(name: str, address: str, jobs: int | None) -> FleetEngine:
    return RayEngine(address, jobs) if name == RayEngine.name else LocalEngine(jobs or 1)


def _again(folder: Path, output: Path, engine: str, address: str, jobs: int | None, options: SessionOptions) -> str:
    """The command line that goes on with this fleet."""
    words = ["voice", "fleet", str(folder), "--output", str(output), "--resume"]
    words += [] if engine == LocalEngine.name else ["--engine", engine]
    words += [] if address == AUTO else ["--address", address]
    words += [] if jobs is None else ["--jobs", str(jobs)]
    words += [] if options.runtime is None else ["--runtime", options.runtime]
    words += [] if options.policy is None else ["--policy", str(options.policy)]
    words += [word for text in options.overrides for word in ("--set", text)]
    words += [word for text in options.thresholds for word in ("--threshold", text)]
    words += ["--no-cost"] if options.no_cost else []
    return shlex.join(words)


class _Lines(Listener):
    """A line on stderr for each thing that happens."""

    def kept(self, row: FleetRow) -> None:
        """Says that it is not run again."""
        self._say(f"{row.objective}: succeeded before; kept")

    def started(self, name: str) -> None:
        """Says which."""
        self._say(f"{name}: started")

    def ended(self, row: FleetRow) -> None:
        """Says how, and why."""
        why = "" if row.succeeded else f" ({row.failure_class}/{row.cause})"
        self._say(f"{row.objective}: {row.verdict}{why} after {row.seconds:.1f} s")

    @staticmethod
    def _say(text: str) -> None:
        click.echo(printable(text), err=True)
