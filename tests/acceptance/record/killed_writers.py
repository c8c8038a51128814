"""Four writers of a log, one of them killed with SIGKILL 200 times: `python -m tests.acceptance.record.killed_writers DIRECTORY`.

A program of its own: it forks 200 times, and a fork of the suite's process, with torch in it, takes a tenth of a second.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
import traceback
from pathlib import Path

from acceptance.record import ledger

WRITERS = 4
KILLS = 200
KILLS_PER_FILE = 25
LONGEST_WAIT_S = 0.008
_ACK = 16


class Writer:
    """A process that appends for ever and says through a pipe what it was told is safe."""

    def __init__(self, path: Path, name: int) -> None:
        self.path, self.name, self.acknowledged, self.process = path, name, 0, 0

    def start(self, first: int) -> None:
        """Append from this number on."""
        self._pipe, pipe = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            try:
                _append_for_ever(self.path, self.name, first, pipe)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(pipe)

    def kill(self) -> None:
        """SIGKILL, then learn what it was told before."""
        if not self.process:
            return
        os.kill(self.process, signal.SIGKILL)
        _, status = os.waitpid(self.process, 0)
        self.learn()
        os.close(self._pipe)
        self.process = 0
        assert os.WIFSIGNALED(status), "the writer ended by itself: an append failed"

    def learn(self) -> None:
        """What it was told until now."""
        while self.process and select.select([self._pipe], [], [], 0)[0] and (text := os.read(self._pipe, _ACK)):
            self.acknowledged = int(text)


def _append_for_ever(path: Path, name: int, first: int, pipe: int) -> None:
    dice, write = random.Random(name * 1_000_003 + first), os.write

    def in_pieces(descriptor: int, data: bytes) -> int:
        """A slow disk that takes a part at a time, so that a kill falls between two pieces of a line."""
        time.sleep(0.001)
        return write(descriptor, data[: dice.randint(1, 2000)])

    ledger.os.write = in_pieces
    number, parent = first, os.getppid()
    while os.getppid() == parent:
        ledger.append(path, {"writer": name, "n": number, "filler": "x" * dice.choice([0, 100, 3_000])})
        write(pipe, f"{number:>{_ACK}}".encode())
        number += 1


def check(path: Path, writers: list[Writer]) -> dict[int, int]:
    """Every acknowledged line is there once and in order, and none is damaged; returns the last number of each writer."""
    for writer in writers:
        writer.learn()
    contents = ledger.read(path)
    assert contents.damage == ()
    last = {}
    for writer in writers:
        numbers = [line.value["n"] for line in contents.lines if line.value["writer"] == writer.name]
        assert numbers == sorted(set(numbers))
        assert set(range(1, writer.acknowledged + 1)) <= set(numbers)
        last[writer.name] = max(numbers, default=0)
    return last


def main(directory: Path) -> None:
    """Start, kill and check; raises AssertionError where something was lost or torn."""
    dice, torn, appended = random.Random(4), 0, 0
    for place in range(KILLS // KILLS_PER_FILE):
        path = directory / str(place) / "history.jsonl"
        path.parent.mkdir()
        writers = [Writer(path, name) for name in range(WRITERS)]
        try:
            for writer in writers:
                writer.start(1)
            for _ in range(KILLS_PER_FILE):
                time.sleep(dice.random() * LONGEST_WAIT_S)
                killed = dice.choice(writers)
                killed.kill()
                # A line that was written and not acknowledged is there too: a dead writer's number is not used again.
                killed.start(check(path, writers)[killed.name] + 1)
        finally:
            for writer in writers:
                writer.kill()
        appended += sum(check(path, writers).values())
        torn += ledger.torn_path(path).exists()
    assert torn, "no kill fell into a write: the test proves nothing"
    assert appended > KILLS


if __name__ == "__main__":
    main(Path(sys.argv[1]))
