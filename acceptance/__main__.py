"""Command line beside pytest.

`python -m acceptance report [RUN]` rebuilds the report of a run from its journal, also after the session was killed;
`python -m acceptance causes` prints the table of causes.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from acceptance.causes import BEGIN_WITH_YOURS, CAUSES
from acceptance.record import workspace
from acceptance.record.record import RunRecord
from acceptance.report import block, summary
from acceptance.verdict import ObjectiveStatus
from trainer.errors import TrainerError


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 for success, 1 for a blocked objective, 2 where there is no such run."""
    options = _parser().parse_args(arguments)
    if options.command == "causes":
        print(causes_table())
        return 0
    try:
        directory = workspace.find_run(options.workspace, options.run)
        live = workspace.is_live(options.workspace, directory.name)  # first: a session that ends meanwhile must not look killed
        record = workspace.load_run(directory)
    except (OSError, ValueError) as error:
        print(f"python -m acceptance: {error}", file=sys.stderr)
        return 2
    if live:
        print(f"python -m acceptance: run {directory.name} is still going on; this is what is known so far", file=sys.stderr)
    if record.exit_status is None and not live:
        record = record.completed()
        _write(directory, record)
    if options.json:
        print(block.dumps(block.document(record)), end="")
    else:
        print(f"{summary.render(record, directory)}\n\n{block.block(record)}")
    return 0 if record.verdict().status is ObjectiveStatus.SUCCESS else 1


def causes_table() -> str:
    """Every cause with its class and action as a Markdown table, in the order of the code."""
    rows = ["| cause | class | what to do |", "|---|---|---|"]
    for name, cause in CAUSES.items():
        action = cause.action.replace("{run}", "pytest acceptance -q").replace("{latest}", "artifacts/latest")
        action = action.replace("{restore_audio}", BEGIN_WITH_YOURS)
        action = action.replace("{", "<").replace("}", ">").replace("|", "\\|")
        rows.append(f"| `{name}` | {cause.class_name} | {action} |")
    return "\n".join(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m acceptance", description="Reports of acceptance runs.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("report", help="print the report of a run, rebuilt from its journal")
    show.add_argument("run", nargs="?", help="run id (default: the newest run)")
    show.add_argument("--workspace", type=Path, default=Path.cwd(), help="default: the current directory")
    show.add_argument("--json", action="store_true", help="print report.json instead of the block")
    commands.add_parser("causes", help="print every cause with its class and action as a Markdown table")
    return parser


def _write(directory: Path, record: RunRecord) -> None:
    """The report files that the killed session could not write; a disk that refuses them takes nothing from what is printed."""
    try:
        block.save(record, directory)
    except TrainerError as error:
        print(f"python -m acceptance: {error}", file=sys.stderr)


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` ends it in silence, as other programs
    sys.exit(main())
