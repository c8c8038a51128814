"""`python -m acceptance report [RUN]`: rebuild the report of a run from its journal, also after the session was killed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from acceptance import report, summary, workspace
from acceptance.failure import CAUSES
from acceptance.verdict import ObjectiveStatus
from trainer.atomic_file import write_atomically


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 for success, 1 for a blocked objective, 2 where there is no such run."""
    parser = argparse.ArgumentParser(prog="python -m acceptance", description="Reports of acceptance runs.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("report", help="print the report of a run, rebuilt from its journal")
    show.add_argument("run", nargs="?", help="run id (default: the newest run)")
    show.add_argument("--workspace", type=Path, default=Path.cwd(), help="default: the current directory")
    commands.add_parser("causes", help="print every cause with its class and action, as a Markdown table")
    show.add_argument("--json", action="store_true", help="print report.json instead of the block")
    options = parser.parse_args(arguments)
    if options.command == "causes":
        print(causes_table())
        return 0
    try:
        directory = workspace.find_run(options.workspace, options.run)
        record = workspace.load_run(directory)
    except (FileNotFoundError, ValueError) as error:
        parser.exit(2, f"python -m acceptance: {error}\n")
    killed = record.exit_status is None and not workspace.is_live(options.workspace)
    if killed:
        record = record.completed()
    block, document = report.block(record), report.dumps(report.document(record))
    if killed:
        write_atomically(directory / "report.txt", (block + "\n").encode())
        write_atomically(directory / "report.json", document.encode())
    print(document if options.json else f"{summary.render(record, directory)}\n\n{block}")
    return 0 if record.verdict().status is ObjectiveStatus.SUCCESS else 1


def causes_table() -> str:
    """The table of causes, one row each, in the order of the code."""
    rows = ["| cause | class | what to do |", "|---|---|---|"]
    for name, cause in CAUSES.items():
        action = cause.action.replace("{run}", "pytest acceptance -q").replace("{", "<").replace("}", ">").replace("|", "\\|")
        rows.append(f"| `{name}` | {cause.failure_class or 'of its step'} | {action} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
