"""Runs a real acceptance session in a process of its own and reads everything it left: block, report.json, journal, JUnit."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from acceptance.objective import PROJECT_ROOT
from acceptance.report.block import BEGIN, END

BYTECODE = Path(tempfile.gettempdir()) / f"acceptance-test-bytecode-{os.getuid()}"
"""Sessions share their bytecode, outside of the project: without it each compiles and rewrites everything again."""
_IMPORTS = "import acceptance.evidence.examiner, trainer.job.run, trainer.production.studio"
"""What a session's job, examiner and shards import; they write no bytecode themselves, and PyTorch alone is three seconds of compiling."""
_FOREIGN = ("VOICE_", "PYTEST_", "COV_", "PYTHON", "GITHUB_STEP_SUMMARY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One ended session and what can be read of it."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    block: Mapping[str, str]
    """The values of the objective report; empty when none was printed."""
    block_text: str
    report: dict[str, Any] | None
    """report.json, or None where there is none."""
    run_dir: Path | None
    junit: ET.Element | None
    events: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def run_id(self) -> str:
        """The run's id, from the journal."""
        return next((event["run_id"] for event in self.events if event["event"] == "session_started"), "")

    @property
    def decision(self) -> tuple[str, str, str]:
        """(root_cause_class, first_failed_step, cause) of the block."""
        return self.block["root_cause_class"], self.block["first_failed_step"], self.block["cause"]

    def outcome(self, step: str) -> str:
        """Outcome of one step in report.json."""
        assert self.report is not None, self.stdout
        return next(row["outcome"] for row in self.report["steps"] if row["step"] == step)

    def log(self, name: str = "container.log") -> str:
        """A log of the run's directory."""
        assert self.run_dir is not None, self.stdout
        return (self.run_dir / name).read_text(encoding="utf-8", errors="replace")


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """This process's environment without what would steer the session; a None in `changes` removes a variable."""
    kept: dict[str, str | None] = {**_own(), "OMP_NUM_THREADS": "2"}
    _compile()
    kept.update(changes or {})
    return {key: value for key, value in kept.items() if value is not None}


def _own() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    return {**kept, "PYTHONPYCACHEPREFIX": str(BYTECODE)}


@cache
def _compile() -> None:
    """Fill `BYTECODE` once for this interpreter and this tree, whichever worker comes first."""
    place = hashlib.sha256(f"{sys.prefix}\n{PROJECT_ROOT}".encode()).hexdigest()[:16]
    BYTECODE.mkdir(exist_ok=True)
    made = BYTECODE / f"{place}.made"
    with FileLock(BYTECODE / f"{place}.lock"):
        if not made.exists():
            for words in (("-m", "compileall", "-qq", "acceptance", "trainer"), ("-c", _IMPORTS)):
                subprocess.run([sys.executable, *words], cwd=PROJECT_ROOT, env=_own(), check=True)
            made.touch()


def command(
    workspace: Path | None, *arguments: str, junit: Path | None = None, target: str = "acceptance", quiet: bool = True
) -> list[str]:
    """The command line of a session."""
    return [
        *(sys.executable, "-m", "pytest", target, *(("-q",) if quiet else ())),
        *(() if any("cache_dir" in argument for argument in arguments) else ("-p", "no:cacheprovider")),
        *(() if workspace is None else ("--workspace", str(workspace))),
        *(() if junit is None else (f"--junitxml={junit}",)),
        *arguments,
    ]


def start_acceptance(
    workspace: Path | None,
    *arguments: str,
    env: Mapping[str, str | None] | None = None,
    prefix: Sequence[str] = (),
    junit: Path | None = None,
    cwd: Path = PROJECT_ROOT,
    target: str = "acceptance",
    quiet: bool = True,
) -> subprocess.Popen[str]:
    """Start a session and return at once, for tests that signal it; read it with `collect`."""
    return subprocess.Popen(
        [*prefix, *command(workspace, *arguments, junit=junit, target=target, quiet=quiet)],
        cwd=cwd,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def collect(
    process: subprocess.Popen[str], *, timeout: float = 120, junit: Path | None = None, began: float | None = None
) -> Session:
    """Wait for a started session and read it; one that does not end in time is killed with its group and fails the test."""
    began = time.monotonic() if began is None else began
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        raise AssertionError(
            f"the session did not end within {timeout} s:\n{stdout[-3000:]}\n{stderr[-3000:]}"
        ) from None
    return read_session(process.returncode, stdout, stderr, junit=junit, seconds=time.monotonic() - began)


def run_acceptance(
    workspace: Path | None,
    *arguments: str,
    env: Mapping[str, str | None] | None = None,
    timeout: float = 120,
    prefix: Sequence[str] = (),
    cwd: Path = PROJECT_ROOT,
) -> Session:
    """Run one session to its end and read it."""
    with tempfile.TemporaryDirectory(prefix="junit-") as directory:
        Path(directory).chmod(0o777)
        junit, began = Path(directory) / "junit.xml", time.monotonic()
        process = start_acceptance(workspace, *arguments, env=env, prefix=prefix, junit=junit, cwd=cwd)
        return collect(process, timeout=timeout, junit=junit, began=began)


def read_session(returncode: int, stdout: str, stderr: str, *, junit: Path | None, seconds: float = 0.0) -> Session:
    """Everything that an ended session left."""
    block_text = parse_block_text(stdout)
    head = stdout.rpartition(f"\n{BEGIN}\n")[0].splitlines()
    named = next((line.removeprefix("run: ") for line in reversed(head) if line.startswith("run: ")), None)
    run_dir = Path(named) if named is not None else None
    report = _json(run_dir / "report.json") if run_dir is not None else None
    return Session(
        returncode=returncode,
        stdout=stdout,
        stderr=stderr,
        seconds=seconds,
        block=parse_block(block_text),
        block_text=block_text,
        report=report,
        run_dir=run_dir,
        junit=ET.parse(junit).getroot() if junit is not None and junit.is_file() else None,
        events=_events(run_dir / "events.jsonl") if run_dir is not None else (),
    )


def parse_block_text(stdout: str) -> str:
    """The last objective report in a text, markers included; empty when there is none."""
    _, begin, rest = stdout.rpartition(BEGIN + "\n")
    body, end, _ = rest.partition(END)
    return f"{begin}{body}{end}" if begin and end else ""


def parse_block(text: str) -> dict[str, str]:
    """Key -> value of a block."""
    return dict(line.split(": ", 1) for line in text.splitlines()[1:-1])


def _json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _events(path: Path) -> tuple[dict[str, Any], ...]:
    if not path.is_file():
        return ()
    return tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}"))
