"""`voice cost`: what the machines were used for, and what it cost."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from acceptance.cli.options import PATH, Decorator, workspace_option
from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.cli.policy_option import policy_option
from acceptance.costs import budget, clock, machine, money, provider_bill, summary, tracker, watch
from acceptance.costs.events import MOST_MADE, Made
from acceptance.costs.totals import OPEN, Accounts, CostSession
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from trainer.files import output_file
from trainer.files.atomic_file import write_atomically
from trainer.files.markdown import table
from trainer.files.output_file import Input, Output
from trainer.files.printable import notice_line

ALERT = 3
"""Exit status where something is too much."""
_name = click.option("--activity", default="work", show_default=True, metavar="NAME", help="What the time is for.")
_one_workspace = workspace_option("log")
_workspaces = click.option(
    "--workspace", "workspaces", type=PATH, multiple=True, default=(Path(),), metavar="DIR",
    help="Directory of the log [here]; of several, a machine that they shared is paid once.",
)  # fmt: skip


def _file_option(name: str, target: str, text: str) -> Decorator:
    return click.option(name, target, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=text)


def _count_option(name: str, text: str) -> Decorator:
    return click.option(name, type=click.IntRange(0, MOST_MADE), default=0, metavar="N", help=text)


def _of_log(workspace: Decorator) -> Decorator:
    """Decorator below `@cost.command`: the options that all of them have, and their errors answered."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return workspace(policy_option(answers(command)))

    return decorate


@click.group()
def cost() -> None:
    """Track what machines cost.

    Training, production and promotion track themselves. These commands track all else, for example listening, and add it all up.

    \b
    voice cost start --activity listening
    voice cost stop
    voice cost report
    """


@cost.command()
@_name
@click.option("--voice", metavar="NAME", help="Which voice it is for.")
@click.option("--gpu", metavar="NAME", help="The machine's GPU [as the driver names it].")
@click.option("--rate", type=click.FloatRange(min=0, max=100_000), metavar="PRICE", help="Of an hour [the policy's].")
@_of_log(_one_workspace)
def start(
    policy: Callable[[], Policy],
    activity: str,
    voice: str | None,
    gpu: str | None,
    rate: float | None,
    workspace: Path,
    as_json: bool,
) -> None:
    """Start a session of this machine.

    A small process gives its signs of life until `voice cost stop`, at most cost.most_hours. If the machine dies, the session is priced to the last
    of them. Ends with 1 where a session of that activity is open here.

    \b
    voice cost start --activity listening --voice dottie
    """
    if rate is not None and math.isnan(rate):  # click's range lets it pass
        raise click.UsageError("--rate nan: give a price, for example 0.60")
    rules = policy().cost
    log = workspace / tracker.LOG
    accounts = _read(log)
    twice = [one for one in _open_here(accounts) if one.about.activity == activity]
    if twice:
        text = f"session {twice[-1].id} of {activity} is open since {twice[-1].began.at}; stop it first: voice cost stop --activity {activity}"
        emit({"session": twice[-1].id, "started": False}, text, as_json=as_json)
        finish(NO)
    about = machine.about(activity, rules, voice=voice, gpu=gpu, rate=rate)
    session = tracker.start(log, about)
    watch.start(log, session, every_s=rules.heartbeat_s, most_hours=rules.most_hours)
    text = f"session {session} of {activity} at {money.text(about.rate, rules.currency, decimals=2)} an hour; end it: voice cost stop"
    emit({"session": session, "started": True, "about": asdict(about)}, text, as_json=as_json)


@cost.command()
@click.option("--activity", metavar="NAME", help="Only a session of this activity.")
@_count_option("--approved", "Utterances that it made.")
@_count_option("--promoted", "Voices that it promoted.")
@_of_log(_one_workspace)
def stop(
    policy: Callable[[], Policy], activity: str | None, approved: int, promoted: int, workspace: Path, as_json: bool
) -> None:
    """Stop the newest open session of this machine.

    A second stop changes nothing and ends with 0. Ends with 1 where nothing was ever started.

    \b
    voice cost stop
    """
    log = workspace / tracker.LOG
    accounts = _read(log)
    found = [one for one in _open_here(accounts) if activity in (None, one.about.activity)]
    if not found:
        text = (
            "nothing is open here"
            if accounts.sessions
            else f"nothing was started in {log}; start it with voice cost start"
        )
        emit({"session": None, "stopped": False}, text, as_json=as_json)
        finish(YES if accounts.sessions else NO)
    tracker.stop(log, found[-1].id, Made(approved=approved, promoted=promoted))
    after = next(one for one in tracker.read(log).sessions if one.id == found[-1].id)
    text = f"session {after.id} of {after.about.activity}: {after.paid_ms / 1000:.1f} s, {money.text(after.cost, policy().cost.currency)}"
    emit(
        {"session": after.id, "stopped": True, "paid_s": after.paid_ms / 1000, "cost": after.cost},
        text,
        as_json=as_json,
    )


@cost.command()
@_of_log(_workspaces)
def status(policy: Callable[[], Policy], workspaces: tuple[Path, ...], as_json: bool) -> None:
    """Show what is open, and what is too much.

    Ends with 3 where a budget is spent or a day is unlike the others.

    \b
    voice cost status
    """
    rules = policy().cost
    accounts = _read(*(workspace / tracker.LOG for workspace in workspaces))
    still = [one for one in accounts.sessions if one.state == OPEN]
    rows = [
        [one.id, one.about.activity, one.began.machine, one.began.at, money.text(one.cost, rules.currency)]
        for one in still
    ]
    text = (
        table(["session", "activity", "machine", "began", "cost so far"], rows, left=range(5))
        if rows
        else "nothing is open"
    )
    found = {"open": [{"session": one.id, "activity": one.about.activity, "cost": one.cost} for one in still]}
    alerts = [asdict(one) for one in budget.alerts(accounts, rules, _today())]
    emit({**found, "alerts": alerts, "total": accounts.cost},
         f"{text}\ntotal: {money.text(accounts.cost, rules.currency)}", as_json=as_json)  # fmt: skip
    _tell(alerts)


@cost.command()
@_file_option("--csv", "as_csv", "Write a row for each session.")
@_file_option("--html", "as_page", "Write a page with a plot.")
@_file_option("--bill", "billed", "Compare with a provider's CSV: date,amount.")
@_of_log(_workspaces)
def report(
    policy: Callable[[], Policy],
    as_csv: Path | None,
    as_page: Path | None,
    billed: Path | None,
    workspaces: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Add up the log.

    By activity and by voice, per approved utterance and promoted voice; idle time is told beside it. Ends with 3 as `voice cost status` does.

    \b
    voice cost report
    voice cost report --csv costs.csv --html costs.html --bill invoice.csv
    voice cost report --workspace fleet/workspaces/dottie --workspace fleet/workspaces/ann
    """
    rules = policy().cost
    logs = [workspace / tracker.LOG for workspace in workspaces]
    for log in logs:
        if not log.is_file():
            raise HarnessError(f"{log} does not exist; nothing was tracked yet: voice cost start", cause="missing")
    _check_outputs(logs, billed, as_csv, as_page)
    accounts = _read(*logs)
    found = summary.document(accounts, rules, _today())
    text = summary.text(found)
    if billed is not None:
        days = provider_bill.compare(provider_bill.read(billed), budget.by_day(accounts))
        found["bill"] = [asdict(one) for one in days]
        rows = [
            [
                one.day,
                *(
                    money.text(each, rules.currency, decimals=2)
                    for each in (one.billed, one.tracked, one.billed - one.tracked)
                ),
            ]
            for one in days
        ]
        text += "\n\n" + table(["day", "billed", "tracked", "difference"], rows)
    if as_csv is not None:
        write_atomically(as_csv, summary.rows(accounts).encode())
    if as_page is not None:
        from acceptance.costs.page import page

        write_atomically(as_page, page(accounts, found).encode())
    emit(found, text, as_json=as_json)
    _tell(found["alerts"])


def _check_outputs(logs: Sequence[Path], billed: Path | None, as_csv: Path | None, as_page: Path | None) -> None:
    """Raises DataError(output_exists) for a file that would be lost: the log, the bill, or anything but an earlier report."""
    from acceptance.pages import environment

    outputs = [("--csv", as_csv, summary.SIGN), ("--html", as_page, environment.SIGN)]
    inputs = [*(("the log", log) for log in logs), ("the bill", billed)]
    output_file.check(
        [Output(option=option, path=path, sign=sign) for option, path, sign in outputs if path],
        [Input(name=name, path=path) for name, path in inputs if path],
        hint="name another file",
    )


def _read(*logs: Path) -> Accounts:
    """The accounts; what is strange in them goes to stderr."""
    accounts = tracker.read(*logs)
    for notice in accounts.notices:
        click.echo(notice_line(notice), err=True)
    return accounts


def _open_here(accounts: Accounts) -> list[CostSession]:
    """Open sessions of this boot of this machine, oldest first; none of a run, which ends its own."""
    boot = clock.now().boot
    return [one for one in accounts.sessions if one.state == OPEN and one.began.boot == boot and one.about.run is None]


def _today() -> str:
    return clock.now().at[:10]


def _tell(alerts: Sequence[Mapping[str, str]]) -> None:
    """Says each alert, as an annotation where GitHub reads it, and ends the command with ALERT."""
    for one in alerts:
        said = f"{one['message']}; {one['next_step']}"
        click.echo(
            f"::warning title={one['kind']}::{said}"
            if os.environ.get("GITHUB_ACTIONS")
            else notice_line(said, "alert"),
            err=True,
        )
    if alerts:
        finish(ALERT)
