"""A short Markdown summary for the page that a CI system shows of a job: GitHub names its file in GITHUB_STEP_SUMMARY."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from acceptance.record.record import RunRecord
from acceptance.report import block, cycle_block
from acceptance.report.next_command import next_command
from acceptance.steps import STEP, phases_with
from acceptance.verdict import ObjectiveStatus, Outcome, StepResult
from trainer.files.markdown import cell, table
from trainer.files.printable import masked

VARIABLE = "GITHUB_STEP_SUMMARY"
_LONGEST = 300
_FILES = ("report.html", "report.json", "container.log", "build.log")


def append(record: RunRecord, run_dir: Path, environ: Mapping[str, str]) -> None:
    """Append the summary to the file that the environment names, if it names one; raises OSError."""
    name = environ.get(VARIABLE, "")
    if name:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(markdown(record, run_dir) + "\n")


def markdown(record: RunRecord, run_dir: Path) -> str:
    """Verdict, cause and action first; then the phases, the warnings and where the files are."""
    verdict = record.whole_verdict()
    good = verdict.status is ObjectiveStatus.SUCCESS
    sections = [
        f"## {'✅' if good else '❌'} Voice acceptance: {_text(str(record.session.get('objective', '')))}: {verdict.status}"
    ]
    if verdict.failure is not None:
        failure = verdict.failure
        sections.append(
            f"**{failure.class_name} / {failure.cause}** in `{verdict.first_failed_step}`: {_text(failure.message)}"
        )
    if not good:
        action = next_command(block.next_action(record, verdict))
        sections.append(f"**Next:** {_text(action.sentence)}" + (":" if action.command else ""))
        if action.command:
            sections.append(_code(action.command))
    sections.append(table(("phase", "result", "seconds"), _phases(record, verdict.results), left=(0, 1)))
    if record.is_cycle:
        sections.append(
            table(
                ("full cycle", ""),
                [(key, cell(value)) for key, value in cycle_block.values(record).items()],
                left=(0, 1),
            )
        )
    sections += [f"- ⚠️ {_text(warning)}" for warning in record.warnings]
    sections.append(f"Run `{record.run_id}`. Files: {_files(run_dir)}")
    return "\n\n".join(sections)


def _phases(record: RunRecord, results: Mapping[str, StepResult]) -> list[tuple[str, str, str]]:
    rows = []
    for phase in phases_with(record.phases):
        steps = [step for step in STEP.values() if step.phase == phase]
        found = [results[step.id] for step in steps if step.id in results]
        failed = [STEP[one.step].check for one in found if one.outcome is Outcome.FAILED]
        passed = sum(one.outcome is Outcome.PASSED for one in found)
        advisory = [STEP[one.step].check for one in found if one.outcome is Outcome.ADVISORY]
        result = f"failed: {', '.join(failed)}" if failed else f"{passed} of {len(steps)} passed"
        result += f"; advisory: {', '.join(advisory)}" if advisory else ""
        seconds = sum(record.seconds.get(step.id, 0.0) for step in steps)
        rows.append((phase.split("_", 2)[2], cell(result), f"{seconds:.1f}"))
    return rows


def _files(run_dir: Path) -> str:
    """Links, relative to where the job works: a CI system that keeps the folder as an artifact has them there too."""
    links = []
    for name in _FILES:
        path = run_dir / name
        if path.is_file():
            place = Path(os.path.relpath(path)).as_posix()
            links.append(f"[{name}](<{_text(place)}>)" if place.isascii() and "<" not in place else name)
    return ", ".join(links)


def _text(text: str) -> str:
    """One line in which nothing is Markdown or HTML."""
    line = cell(masked(text), _LONGEST)
    return "".join(f"&#{ord(sign)};" if sign in "<>&`*_[]()#!~" else sign for sign in line)


def _code(command: str) -> str:
    """A block that the command cannot end: its fence is longer than any run of backticks in it."""
    line = masked(command)
    fence = "```"
    while fence in line:
        fence += "`"
    return f"{fence}sh\n{line}\n{fence}"
