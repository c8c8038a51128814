"""`voice cost`: what the machines were used for, and what it cost."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.cli.policy_option import policy_option
from acceptance.costs import bill, budget, clock, machine, money, summary, tracker, watch
from acceptance.costs.accounts import OPEN, Accounts, CostSession
from acceptance.costs.events import Made
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from trainer.files import output_file
from trainer.files.atomic_file import write_atomically
from trainer.files.markdown import table
from trainer.files.output_file import Input, Output
from trainer.files.printable import notice_line

ALERT = 3
"""Exit status where something is too much."""
_workspace = click.option(
    "--workspace", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Directory of the log [here]."
)
_name = click.option("--activity", default="work", show_default=True, metavar="NAME", help="What the time is for.")


@click.group()
def cost() -> None:
    """Track what machines cost.

    The training of pytest acceptance tracks itself. These commands track all else, for example a production, and add it all up.

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
@_workspace
@policy_option
@answers
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
@click.option("--approved", type=click.IntRange(min=0), default=0, metavar="N", help="Utterances that it made.")
@click.option("--promoted", type=click.IntRange(min=0), default=0, metavar="N", help="Voices that it promoted.")
@_workspace
@policy_option
@answers
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
@_workspace
@policy_option
@answers
def status(policy: Callable[[], Policy], workspace: Path, as_json: bool) -> None:
    """Show what is open, and what is too much.

    Ends with 3 where a budget is spent or a day is unlike the others.

    \b
    voice cost status
    """
    rules = policy().cost
    accounts = _read(workspace / tracker.LOG)
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
    alerts = budget.alerts(accounts, rules, _today())
    emit({**found, "alerts": [asdict(one) for one in alerts], "total": accounts.cost},
         f"{text}\ntotal: {money.text(accounts.cost, rules.currency)}", as_json=as_json)  # fmt: skip
    _tell(alerts)


@cost.command()
@click.option(
    "--csv",
    "as_csv",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a row for each session.",
)
@click.option(
    "--html",
    "as_page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page with a plot.",
)
@click.option(
    "--bill",
    "billed",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Compare with a provider's CSV: date,amount.",
)
@_workspace
@policy_option
@answers
def report(
    policy: Callable[[], Policy],
    as_csv: Path | None,
    as_page: Path | None,
    billed: Path | None,
    workspace: Path,
    as_json: bool,
) -> None:
    """Add up the log.

    By activity, by voice, per approved utterance and promoted voice; idle time is told beside it. Ends with 3 as `voice cost status` does.

    \b
    voice cost report
    voice cost report --csv costs.csv --html costs.html --bill invoice.csv
    """
    rules = policy().cost
    log = workspace / tracker.LOG
    if not log.is_file():
        raise HarnessError(f"{log} does not exist; nothing was tracked yet: voice cost start", cause="missing")
    _check_outputs(log, billed, as_csv, as_page)
    accounts = _read(log)
    found = summary.document(accounts, rules, _today())
    text = summary.text(found)
    if billed is not None:
        days = bill.compare(bill.read(billed), budget.by_day(accounts))
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
    _tell(budget.alerts(accounts, rules, _today()))


def _check_outputs(log: Path, billed: Path | None, as_csv: Path | None, as_page: Path | None) -> None:
    """Raises DataError(output_exists) for a file that would be lost: the log, the bill, or anything but an earlier report."""
    from acceptance.pages import environment

    outputs = [("--csv", as_csv, summary.SIGN), ("--html", as_page, environment.SIGN)]
    inputs = [("the log", log), ("the bill", billed)]
    output_file.check(
        [Output(option=option, path=path, sign=sign) for option, path, sign in outputs if path],
        [Input(name=name, path=path) for name, path in inputs if path],
        hint="name another file",
    )


def _read(log: Path) -> Accounts:
    """The accounts; what is strange in them goes to stderr."""
    accounts = tracker.read(log)
    for notice in accounts.notices:
        click.echo(notice_line(notice), err=True)
    return accounts


def _open_here(accounts: Accounts) -> list[CostSession]:
    """Open sessions of this boot of this machine, oldest first."""
    here = clock.now()
    return [one for one in accounts.sessions if one.state == OPEN and one.began.boot == here.boot]


def _today() -> str:
    return clock.now().at[:10]


def _tell(alerts: tuple[budget.Alert, ...]) -> None:
    """Says each alert, as an annotation where GitHub reads it, and ends the command with ALERT."""
    for one in alerts:
        said = f"{one.message}; {one.next_step}"
        click.echo(
            f"::warning title={one.kind}::{said}" if os.environ.get("GITHUB_ACTIONS") else notice_line(said, "alert"),
            err=True,
        )
    if alerts:
        finish(ALERT)
