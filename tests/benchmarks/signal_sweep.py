"""Sends signals at every moment of real sessions on the Docker engine and checks what each leaves behind.

`python -m tests.benchmarks.signal_sweep --signals 300` starts 300 sessions of a tiny job and interrupts each 20 ms later than the one before:
SIGINT (to the process, and to its group as a terminal does), SIGTERM, SIGHUP, and two in a row. It prints one table and exits with 1 on any miss.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.acceptance import kit as kits
from tests.acceptance.engines import docker, tiny_base_image
from tests.acceptance.harness import Session, collect, start_acceptance
from tests.acceptance.sessions.conftest import OUTPUTS

STEP_S = 0.02
PATIENCE_S = 120.0
OBJECTIVE = """
runtime = "docker"
audio = "data/recording.wav"
manifest = "out/dataset/manifest.json"
status = "out/status/train_status.json"
checkpoint = "out/checkpoints/voice.pt"
min_audio_bytes = 1000
remeasure = false
backbone = "vocoder"
image = "{image}"
context = "{context}"
dockerfile = "Dockerfile"
command = ["/bin/sh", "{mount}/job/tiny_trainer.sh"]
mount_point = "{mount}"
memory = "128m"
build_args = {{ NONCE = "0" }}
env = {{ KIT = "{mount}/job" }}
"""
MOUNT = "/workspace/sweep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is sent: the first signal and perhaps a second, to the session alone or to its process group."""

    name: str
    first: signal.Signals
    second: signal.Signals | None = None
    gap_s: float = 0.0
    group: bool = False


KINDS = (
    Kind(name="SIGINT", first=signal.SIGINT),
    Kind(name="SIGTERM", first=signal.SIGTERM),
    Kind(name="SIGINT to the group", first=signal.SIGINT, group=True),
    Kind(name="SIGHUP", first=signal.SIGHUP),
    Kind(name="SIGINT, SIGTERM 20 ms later", first=signal.SIGINT, second=signal.SIGTERM, gap_s=0.02),
    Kind(name="SIGTERM, SIGINT 1.2 s later", first=signal.SIGTERM, second=signal.SIGINT, gap_s=1.2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One interrupted session: what was sent when, how it ended, and every way in which that is wrong."""

    kind: str
    moment_s: float
    ending: str
    """`interrupted`, `over`, or `before the run`."""
    step: str
    misses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A workspace with the outputs of a good run, on a base image of its own."""

    workspace: Path
    objective: Path
    base: str

    def start(self, junit: Path, nonce: str) -> subprocess.Popen[str]:
        """A session whose image build has something to do."""
        return start_acceptance(
            self.workspace, "--objective", str(self.objective), "--set", f"build_args.NONCE={nonce}", junit=junit
        )

    def outputs(self) -> dict[str, bytes]:
        return {path: (self.workspace / path).read_bytes() for path in OUTPUTS if (self.workspace / path).is_file()}

    def latest(self) -> str:
        """Name of the newest run; empty before the first."""
        try:
            return Path(os.readlink(self.workspace / "artifacts/latest")).name
        except OSError:
            return ""


@contextlib.contextmanager
def place(directory: Path, kit: Path) -> Iterator[Place]:
    """Make one; afterwards its images are gone."""
    workspace, context = directory / "workspace", directory / "context"
    (workspace / "data").mkdir(parents=True)
    context.mkdir()
    shutil.copyfile(kit / "recording.wav", workspace / "data/recording.wav")
    shutil.copytree(kit, workspace / "job")
    for script in (kits.JOB, kits.TRAINER):
        shutil.copy(script, workspace / "job")
    with tiny_base_image(salt=uuid.uuid4().hex) as base:
        image = f"signal-sweep-{uuid.uuid4().hex[:12]}:latest"
        (context / "Dockerfile").write_text(f"FROM {base}\nARG NONCE\nRUN echo $NONCE >/etc/nonce\nRUN sleep 0.1\n")
        objective = directory / "sweep.toml"
        objective.write_text(OBJECTIVE.format(image=image, context=context, mount=MOUNT))
        try:
            yield Place(workspace=workspace, objective=objective, base=base)
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                docker("rmi", "-f", image)


def good_run(where: Place) -> float:
    """Seconds of a whole session, which must succeed: its outputs are what every later one must leave."""
    junit = where.workspace / "junit.xml"
    session = collect(where.start(junit, "good"), timeout=PATIENCE_S, junit=junit)
    if session.block.get("objective_status") != "success":
        sys.exit(f"the session without a signal did not succeed:\n{session.stdout}\n{session.stderr}")
    return session.seconds


def shoot(where: Place, kind: Kind, moment_s: float) -> Shot:
    """One session with its signals, judged."""
    junit = where.workspace / "junit.xml"
    junit.unlink(missing_ok=True)
    before, run_before = where.outputs(), where.latest()
    began = time.monotonic()
    process = where.start(junit, uuid.uuid4().hex)
    time.sleep(max(0.0, began + moment_s - time.monotonic()))
    _send(process, kind.first, group=kind.group)
    if kind.second is not None:
        time.sleep(kind.gap_s)
        _send(process, kind.second, group=kind.group)
    try:
        session = collect(process, timeout=PATIENCE_S, junit=None, began=began)
    except AssertionError as error:
        return Shot(kind=kind.name, moment_s=moment_s, ending="hung", step="", misses=(str(error),))
    run_id = where.latest() if where.latest() != run_before else ""
    ending, misses = _ending(session, run_id, kind)
    if ending != "over" and where.outputs() != before:
        misses.append("the outputs of the last good run are not in place")
    misses += _left(where, run_id) + _junit_misses(junit, ending)
    if misses:
        misses.append(f"run {run_id}, exit {session.returncode}\n{session.stdout[-1500:]}\n{session.stderr[-3000:]}")
    return Shot(
        kind=kind.name,
        moment_s=moment_s,
        ending=ending,
        step=session.block.get("first_failed_step", ""),
        misses=tuple(misses),
    )


def _send(process: subprocess.Popen[str], number: signal.Signals, *, group: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


def _ending(session: Session, run_id: str, kind: Kind) -> tuple[str, list[str]]:
    """What the session made of the signal, and what is wrong with that."""
    if not run_id:
        # Before Python runs the plugin the signal does what it does to any program.
        expected = {2, 1, -kind.first, -(kind.second or kind.first)}
        return "before the run", [] if session.returncode in expected else [
            f"exit status {session.returncode} before the run"
        ]
    if not session.block:
        return "no report", [f"no report on standard output, exit status {session.returncode}"]
    if session.block["objective_status"] == "success":
        return "over", [] if session.returncode == 0 else [f"success with exit status {session.returncode}"]
    right = (
        session.returncode == 2
        and session.block["cause"] == "interrupted"
        and session.block["root_cause_class"] == "none"
    )
    return "interrupted", [] if right else [f"exit status {session.returncode}, {session.decision}"]


def _left(where: Place, run_id: str) -> list[str]:
    """Containers in any state: of the run by its label, of its image build by the base image."""
    filters = [f"ancestor={where.base}", *([f"label=voice-acceptance.run-id={run_id}"] if run_id else [])]
    left = {
        text
        for each in filters
        for text in docker("ps", "-a", "--filter", each, "--format", "{{.Names}} {{.Status}}").splitlines()
    }
    for text in left:
        with contextlib.suppress(subprocess.CalledProcessError):
            docker("rm", "-f", text.split()[0])
    return [f"left behind: {text}" for text in sorted(left)]


def _junit_misses(junit: Path, ending: str) -> list[str]:
    """A JUnit file that cannot be read, or that shows green for a session that was interrupted."""
    if not junit.is_file():
        return [] if ending == "before the run" else ["no JUnit file"]
    try:
        root = ET.parse(junit).getroot()
    except ET.ParseError as error:
        return [f"JUnit does not parse: {error}"]
    return ["JUnit shows no failure"] if ending == "interrupted" and root.find(".//failure") is None else []


def sweep(directory: Path, moments: Sequence[float], *, jobs: int) -> list[Shot]:
    """One shot for each moment, `jobs` at a time; the kinds of signal take turns."""
    (directory / "kit").mkdir()
    kit = kits.write(directory / "kit")
    with contextlib.ExitStack() as stack:
        places: Queue[Place] = Queue()
        for number in range(jobs):
            made = stack.enter_context(place(directory / f"place-{number}", kit))
            good_run(made)
            places.put(made)

        def one(numbered: tuple[int, float]) -> Shot:
            where = places.get()
            try:
                shot = shoot(where, KINDS[numbered[0] % len(KINDS)], numbered[1])
            finally:
                places.put(where)
            print(f"{shot.moment_s:7.2f} s  {shot.kind:<28} {shot.ending:<15} {shot.step}", file=sys.stderr, flush=True)
            return shot

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(one, enumerate(moments)))


def table(shots: Sequence[Shot]) -> str:
    """Counts for each kind of signal and for each step that was hit, then every miss."""
    endings = ("interrupted", "over", "before the run")
    lines = [f"{'signals':<30}{'sent':>6}" + "".join(f"{ending:>16}" for ending in endings) + f"{'misses':>8}"]
    for name in [kind.name for kind in KINDS] + ["all"]:
        chosen = [shot for shot in shots if name in ("all", shot.kind)]
        counts = Counter(shot.ending for shot in chosen)
        missed = sum(bool(shot.misses) for shot in chosen)
        lines.append(
            f"{name:<30}{len(chosen):>6}" + "".join(f"{counts[ending]:>16}" for ending in endings) + f"{missed:>8}"
        )
    lines += ["", "interrupted at"]
    hit = Counter(shot.step for shot in shots if shot.ending == "interrupted")
    lines += [f"  {count:4}  {step}" for step, count in sorted(hit.items())]
    lines += [
        f"MISS {shot.kind} at {shot.moment_s:.2f} s ({shot.step}): " + "; ".join(shot.misses)
        for shot in shots
        if shot.misses
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 when any session ended otherwise than it must."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        signal.signal(
            number, usual
        )  # a sweep in the background inherits ignored signals, and its sessions would ignore them too
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.signal_sweep", description="Signals at every moment of a session."
    )
    parser.add_argument(
        "--signals", type=int, default=300, help="how many sessions to interrupt (default: %(default)s)"
    )
    parser.add_argument(
        "--first", type=float, default=0.3, help="seconds after the start of the first one (default: %(default)s)"
    )
    parser.add_argument("--step", type=float, default=STEP_S, help="seconds between two moments (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="sessions at a time (default: %(default)s)")
    options = parser.parse_args(arguments)
    moments = [options.first + options.step * number for number in range(options.signals)]
    with tempfile.TemporaryDirectory(prefix="signal-sweep-") as directory:
        shots = sweep(Path(directory), moments, jobs=options.jobs)
    print(table(shots))
    return int(any(shot.misses for shot in shots))


if __name__ == "__main__":
    sys.exit(main())
