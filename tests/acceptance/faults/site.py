"""A workspace with a recording, good artifacts of an earlier run and a scripted job; and what must hold after any fault in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acceptance.causes import CAUSES
from acceptance.record.workspace import load_run
from acceptance.report import block as reports
from acceptance.runtimes.base import LABEL_RUN_ID
from acceptance.steps import ALL_STEPS
from tests.acceptance.engines import docker
from tests.acceptance.harness import Session, run_acceptance
from tests.acceptance.kit import JOB

AUDIO, MANIFEST, STATUS, CHECKPOINT = (
    "data/rec.flac",
    "out/dataset/manifest.json",
    "out/status/train_status.json",
    "out/checkpoints/voice.pt",
)
OUTPUTS = (MANIFEST, STATUS, CHECKPOINT)
NOBODY = 65534
PROGRAMS = frozenset(
    ("cat", "cd", "chmod", "chown", "df", "docker", "flac", "git", "grep", "ls", "lscpu", "make", "mkdir", "mv", "pytest", "python", "stat", "sudo",
     "tail", "unset", "voice")
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Genuine:
    """What a real training left: its recording, dataset directory, manifest, status and checkpoint."""

    audio: Path
    dataset: Path
    manifest: Path
    status: dict[str, Any]
    checkpoint: Path


@dataclass(slots=True, kw_only=True)
class Site:
    """One workspace on one runtime."""

    workspace: Path
    runtime: str
    genuine: Genuine
    base: str | None
    """The base image on the docker runtime."""
    objective: dict[str, Any] = field(default_factory=dict)
    kept: dict[Path, str] = field(default_factory=dict)
    """Files that no fault may cost, with their digests."""

    def path(self, relative: str) -> Path:
        """A path in the workspace."""
        return self.workspace / relative

    def prepare(self) -> None:
        """Put recording, job and the earlier run's artifacts in place."""
        for name in ("data", "job", *(str(Path(path).parent) for path in OUTPUTS)):
            self.path(name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.genuine.audio, self.path(AUDIO))
        shutil.copyfile(JOB, self.path("job/contract.sh"))
        shutil.copytree(self.genuine.dataset, self.path("job/dataset"))
        shutil.copyfile(self.genuine.manifest, self.path("job/manifest.json"))
        shutil.copyfile(self.genuine.checkpoint, self.path("job/checkpoint.pt"))
        self.write_status()
        self.write_earlier_run()
        self.keep(AUDIO, *OUTPUTS)

    def write_earlier_run(self) -> None:
        """Good artifacts that another run left."""
        shutil.copytree(self.genuine.dataset, self.path(MANIFEST).parent, dirs_exist_ok=True)
        shutil.copyfile(self.genuine.manifest, self.path(MANIFEST))
        shutil.copyfile(self.genuine.checkpoint, self.path(CHECKPOINT))
        self.path(STATUS).write_text(json.dumps({**self.genuine.status, "run_id": "earlier"}))

    def write_status(self, edit: Callable[[str], str] = lambda text: text, **changes: Any) -> None:
        """The status that the job writes: the genuine one with `changes`, its text passed through `edit`."""
        document = {**self.genuine.status, "run_id": "@RUN_ID@", **changes}
        self.path("job/status.json").write_text(edit(json.dumps(document, indent=1)))

    def give_to_nobody(self) -> None:
        """Let another user own the workspace and reach it."""
        for path in (self.workspace, *self.workspace.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        for parent in self.workspace.parents:
            if parent == Path(tempfile.gettempdir()):
                break
            parent.chmod(0o755)

    def keep(self, *relative: str) -> None:
        """Remember files that must be byte-identical after the session."""
        self.kept |= {self.path(name): digest(self.path(name)) for name in relative}

    def run(
        self, script: str = "go", *arguments: str, dockerfile: str = "FROM BASE", timeout: float = 60, **options: Any
    ) -> Session:
        """A session whose job is the contract's script followed by `script`."""
        return run_acceptance(
            self.workspace, *self.arguments(script, dockerfile), *arguments, timeout=timeout, **options
        )

    def arguments(self, script: str = "go", dockerfile: str = "FROM BASE") -> list[str]:
        """Write job, build context and objective; the session's arguments for them."""
        self.path("job/job.sh").write_text('. "$VOICE_WORKSPACE/job/contract.sh"\n' + script + "\n")
        context = self.workspace.parent / "context"
        context.mkdir(exist_ok=True)
        fresh = uuid.uuid4().hex  # an earlier run's cache must not spare the build its time
        text = dockerfile.replace("BASE", self.base or "").replace("RUN sleep", f"RUN : {fresh}; sleep")
        (context / "Dockerfile").write_text(text + "\n")
        values = {
            "name": "fault",
            "runtime": self.runtime,
            **dict(zip(("audio", "manifest", "status", "checkpoint"), (AUDIO, *OUTPUTS), strict=True)),
            "min_audio_bytes": 1000,
            "image": f"{(self.base or 'unused').replace(':', '-')}-job:latest",
            "dockerfile": "Dockerfile",
            "context": str(context),
            "command": ["/bin/sh", "-c", '. "$VOICE_WORKSPACE/job/job.sh"'],
            "memory": "256m",
            "train_deadline_s": 60,
            "build_deadline_s": 60,
            "remeasure": False,
            "backbone": "vocoder",
            **self.objective,
        }
        path = self.workspace.parent / "fault.toml"
        path.write_text(toml(values))
        return ["--objective", str(path)]


def toml(values: Mapping[str, Any]) -> str:
    """The values as TOML: scalars and lists are written as in JSON, tables last; a key that is None is left out."""
    plain = [
        f"{key} = {json.dumps(value)}"
        for key, value in values.items()
        if value is not None and not isinstance(value, Mapping)
    ]
    tables = [
        f"[{key}]\n" + "".join(f"{name} = {json.dumps(text)}\n" for name, text in value.items())
        for key, value in values.items()
        if isinstance(value, Mapping)
    ]
    return "\n".join([*plain, *tables]) + "\n"


def digest(path: Path) -> str:
    """SHA-256 of a file, or what stands there instead of one."""
    if not path.is_file():
        return "no file"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_blocked(session: Session, root_cause_class: str, step: str, cause: str, *, kept: Mapping[Path, str]) -> None:
    """The session gave exactly this verdict with an action to paste, told it everywhere, and lost nothing."""
    assert session.block, session.stdout + session.stderr
    assert session.decision == (root_cause_class, step, cause), session.stdout[-6000:]
    assert (session.returncode, session.block["objective_status"]) == (1, "blocked")
    check_action(session.block["next_unblock_action"], cause)
    check_report(session)
    check_junit(session, f"{root_cause_class}/{cause}: ")
    assert {path: digest(path) for path in kept} == dict(kept)
    check_no_container(session)


def check_action(action: str, cause: str) -> None:
    """The action is a sentence and a command that a shell can parse, of a program that is known."""
    sentence, separator, command = action.partition(": ")
    assert sentence and separator and command, action
    assert "N/A" not in action
    assert cause in CAUSES
    subprocess.run(["sh", "-n", "-c", command], check=True, capture_output=True)
    words = [word for word in shlex.split(command) if not re.fullmatch(r"\w+=.*", word)]
    assert words[0] in PROGRAMS, command
    assert not any(word in "<>" or word.startswith("<") for word in words), command


def check_report(session: Session) -> None:
    """The block is printed once and last, complete, the same in report.txt and report.json, and the journal gives it again."""
    lines = session.stdout.splitlines()
    assert lines.count(reports.BEGIN) == lines.count(reports.END) == 1
    assert lines[-1] == reports.END
    assert tuple(session.block) == reports.KEYS
    assert not [line for line in lines if line.strip().startswith(("::", "##["))], "a CI system would obey this line"
    assert not [character for character in session.stdout if ord(character) < 32 and character not in "\n\t"]
    assert session.run_dir is not None
    assert session.report is not None
    assert session.report["report"] == dict(session.block)
    assert (session.run_dir / "report.txt").read_text() == session.block_text + "\n"
    assert reports.block(load_run(session.run_dir)) == session.block_text
    assert session.events[-1]["event"] == "session_finished"


def check_junit(session: Session, headline: str) -> None:
    """Every step has a testcase; the first failed one begins with class and cause; the suite carries the block."""
    assert session.junit is not None
    cases = {_step(case): case for case in session.junit.iter("testcase")}
    assert list(cases) == [step.id for step in ALL_STEPS]
    failure = cases[session.block["first_failed_step"]].find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith(headline)
    assert (failure.text or "").startswith(headline)
    suite = {item.get("name"): item.get("value") for item in session.junit.findall("testsuite/properties/property")}
    assert {key: suite.get(key) for key in session.block} == dict(session.block)


def check_no_container(session: Session) -> None:
    """Nothing with this run's label is left on the engine."""
    if (
        session.report is not None
        and (session.report["runtime"] or {}).get("name") == "docker"
        and "engine" in session.report["runtime"]
    ):
        assert docker("ps", "-aq", "--filter", f"label={LABEL_RUN_ID}={session.run_id}") == ""


def _step(case: Any) -> str:
    """The step that a testcase stands for, from its module and its name."""
    phase = case.get("classname", "").rpartition(".")[2].replace("test_", "phase_", 1)
    return f"{phase}.{case.get('name', '').removeprefix('test_')}"
