"""A small process whose four writers of cost log, score history and registry, are killed with SIGKILL 200 times.

Nothing acknowledged is lost, and nothing is there twice."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from acceptance.costs import tracker
from acceptance.costs.events import About, Made
from acceptance.costs.totals import STOPPED
from acceptance.record import ledger, workspace
from acceptance.scorecards import runs
from acceptance.voices import registry
from acceptance.voices.registry import PromotedVoice
from tests.acceptance.scorecards.evaluations import clip, run

WRITERS = 4
KILLS = 200
KILLS_PER_PLACE = 25
LONGEST_WAIT_S = 0.02
PIECE_BYTES = 300
VOICE = "ann"
ABOUT = About(activity="training", rate=600_000, heartbeat_s=30)
RUN = run([clip(1)])
PROMOTED = PromotedVoice(
    checkpoint_sha256="0" * 64, run_id="run", promoted="2026-01-02T03:04:05Z", score=90.0, grade="A", evaluation_sha256="0" * 64,
    policy_sha256="0" * 64, manifest_sha256=None, pins={}, consent={}, before=None, reasons=(),
)  # fmt: skip


@contextmanager
def held(place: Path) -> Iterator[None]:
    """The workspace's lock, waited for: three others want it too."""
    while True:
        try:
            lock = workspace.lock(place)
        except workspace.WorkspaceBusy:
            continue
        try:
            yield
        finally:
            lock.release()
        return


def promote(place: Path, name: str) -> None:
    voice = replace(PROMOTED, checkpoint_sha256=hashlib.sha256(name.encode()).hexdigest(), run_id=name)
    with held(place):
        registry.put(place, VOICE, voice)


class Writer:
    """A process that writes for ever and says through a pipe what it begins and what it was told is safe."""

    def __init__(self, place: Path, name: int) -> None:
        self.place, self.name, self.lives, self.process = place, name, 0, 0
        self.begun: dict[str, str] = {}
        """The newest of each kind."""
        self.safe: dict[str, list[str]] = {"start": [], "stop": [], "score": [], "promote": []}

    def start(self) -> None:
        """Write on; a run whose scoring was cut short is scored again first, as a person would."""
        again = self.begun.get("score")
        self._pipe, pipe = os.pipe()
        self.lives += 1
        self.process = os.fork()
        if self.process == 0:
            try:
                _write_for_ever(self.place, f"{self.name}-{self.lives}", again, pipe)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(pipe)

    def kill(self) -> None:
        """SIGKILL, then learn what it said before."""
        if not self.process:
            return
        os.kill(self.process, signal.SIGKILL)
        _, status = os.waitpid(self.process, 0)
        with os.fdopen(self._pipe) as said:
            for line in said:
                what, kind, name = line.split()
                if what == "begun":
                    self.begun[kind] = name
                else:
                    self.safe[kind].append(name)
        self.process = 0
        assert os.WIFSIGNALED(status), "the writer ended by itself: a write failed"


def _write_for_ever(place: Path, life: str, again: str | None, pipe: int) -> None:
    dice, write, parent = random.Random(life), os.write, os.getppid()

    def in_pieces(descriptor: int, data: bytes) -> int:
        """A slow disk that takes a part at a time, so that a kill falls between two pieces of a line."""
        time.sleep(0.001)
        return write(descriptor, data[: dice.randint(1, PIECE_BYTES)])

    def say(what: str, kind: str, name: str) -> None:
        write(pipe, f"{what} {kind} {name}\n".encode())

    ledger.os.write = in_pieces
    log, history, number = place / tracker.LOG, place / runs.HISTORY, 0
    while os.getppid() == parent:
        name = f"{life}-{number}"
        session = tracker.start(log, ABOUT)
        say("safe", "start", session)
        scored = again if again is not None and number == 0 else name
        say("begun", "score", scored)
        runs.append(history, replace(RUN, run_id=scored))
        say("safe", "score", scored)
        promote(place, name)
        say("safe", "promote", name)
        tracker.stop(log, session, Made(approved=1))
        say("safe", "stop", session)
        number += 1


def check(place: Path, writers: list[Writer]) -> dict[str, int]:
    """Everything that a writer was told is safe is there, and nothing is there twice or damaged; returns how much of each kind."""
    safe = {kind: {name for writer in writers for name in writer.safe[kind]} for kind in writers[0].safe}
    accounts = tracker.read(place / tracker.LOG)
    assert accounts.notices == ()
    sessions = {one.id: one for one in accounts.sessions}
    for writer in writers:  # each once, in its order
        mine = set(writer.safe["start"])
        assert [name for name in sessions if name in mine] == writer.safe["start"]
    assert all(sessions[name].state == STOPPED and sessions[name].made == Made(approved=1) for name in safe["stop"])

    history = runs.load(place / runs.HISTORY)
    assert history.damage == () and len(history.runs) == len(history.newest())
    assert safe["score"] <= history.newest().keys()

    promoted = {hashlib.sha256(name.encode()).hexdigest() for name in safe["promote"]}
    contents = ledger.read(registry.folder(place, VOICE) / "history.jsonl")
    events = [event.checkpoint_sha256 for event in registry.history(place, VOICE)]
    assert contents.damage == () and len(contents.lines) == len(events) == len(set(events)) and promoted <= set(events)
    assert all(registry.promoted(place, VOICE, sha256).checkpoint_sha256 == sha256 for sha256 in events)
    standing = registry.current(place, VOICE)
    assert standing is not None
    later = registry.history(place, VOICE)[events.index(standing.checkpoint_sha256) + 1 :]
    # Who wrote a later line died before it counted: whoever came next still found this version in use.
    assert {event.before for event in later} <= {standing.checkpoint_sha256}
    promote(place, "last")
    standing = registry.current(place, VOICE)
    assert standing is not None and standing.run_id == "last"
    return {kind: len(names) for kind, names in safe.items()}


def main(folder: Path) -> None:
    """Eight places one after another; raises AssertionError."""
    dice, torn, found = random.Random(4), 0, Counter[str]()
    for number in range(KILLS // KILLS_PER_PLACE):
        place = folder / str(number)
        place.mkdir()
        writers = [Writer(place, name) for name in range(WRITERS)]
        try:
            for writer in writers:
                writer.start()
            for _ in range(KILLS_PER_PLACE):
                time.sleep(dice.random() * LONGEST_WAIT_S)
                killed = dice.choice(writers)
                killed.kill()
                assert ledger.read(place / tracker.LOG).damage == (), "a reader met a torn line while others wrote"
                killed.start()
        finally:
            for writer in writers:
                writer.kill()
        found += check(place, writers)
        torn += any(ledger.torn_path(path).exists() for path in place.rglob("*.jsonl"))
    assert torn, "no kill fell into a write: the test proves nothing"
    assert all(found[kind] > WRITERS for kind in ("start", "stop", "score", "promote")), found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
