"""The harness's end of the examining process: it asks, waits no longer than the work may take, and believes no answer that is not of its form."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from acceptance.evidence.examination import Brief, allowance
from acceptance.objective import PROJECT_ROOT
from trainer import wait_policy
from trainer.files import strict_json

MAX_ANSWER = 64 * 2**10
_WHY: dict[int, str] = {signal.SIGKILL: "mostly for memory", signal.SIGPROF: "it takes too much time"}
_KEPT = re.compile(
    r"(?:PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|(?:OMP|MKL|OPENBLAS|MALLOC|KMP|GOMP|PYTHON|CUDA|NVIDIA)\w*)\Z"
)
"""Of the environment: what the interpreter and its libraries need. Tokens and passwords stay here.

Threads that wait sleep: spinning, they take ten times the processor time where other processes want it too.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationFault:
    """What the examination says against a file: `kind` is checkpoint, setup, data, limit or other; `cause` is the error's own."""

    kind: str
    cause: str
    message: str


class ExaminationError(Exception):
    """The work was done and found a fault, or could not be done: what was examined ended the process, filled it or kept it busy."""

    def __init__(self, failed: ExaminationFault) -> None:
        super().__init__(failed.message)
        self.failed = failed


class _Ended(Exception):
    """The process gives no more answers."""


class Examiner:
    """One process at a time; it starts with the first request, and again after one that ended it."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: list[str] = []
        self._read = b""

    def begin(self, work: str) -> None:
        """Ask for work without waiting for it, once; whatever comes of it, `ask` does not depend on it."""
        if work not in self._waiting:
            with contextlib.suppress(_Ended):
                self._send(work)

    def ask(self, work: str) -> dict[str, Any]:
        """The findings of a piece of work; raises ExaminationError."""
        try:
            self._finish_begun()
            self._send(work)
            answer = self._receive()
        except _Ended as error:
            self.close()
            raise ExaminationError(ExaminationFault(kind="limit", cause="", message=str(error))) from error
        except BaseException:
            self.close()
            raise
        if "found" in answer:
            return answer["found"]
        raise ExaminationError(ExaminationFault(**answer["failed"]))

    def close(self) -> None:
        """End the process at once, whatever it does."""
        process, self._process, self._waiting, self._read = self._process, None, [], b""
        if process is not None:
            process.kill()
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout)):
                with contextlib.suppress(OSError):
                    pipe.close()

    def _finish_begun(self) -> None:
        try:
            while self._waiting:
                self._receive()
        except _Ended:
            self.close()

    def _send(self, work: str) -> None:
        if self._process is None:
            self._process = self._start()
        self._waiting.append(work)
        try:
            _write(self._process, f"{work}\n")
        except OSError as error:
            raise _Ended(self._why()) from error

    def _start(self) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if _KEPT.match(name)}
        process = subprocess.Popen(
            [sys.executable, "-m", "acceptance.evidence.examiner"],
            cwd=PROJECT_ROOT,
            env={wait_policy.VARIABLE: wait_policy.ASLEEP, **kept, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(OSError):  # the next request says that it is gone
            _write(process, json.dumps(self._brief.as_dict()) + "\n")
        return process

    def _receive(self) -> dict[str, Any]:
        """The next answer; raises _Ended for silence, an end, and nonsense."""
        work = self._waiting.pop(0)
        return _checked(self._line(allowance(work, self._brief).wall_seconds), work)

    def _line(self, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        assert self._process is not None and self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._read:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise _Ended(f"reading it takes more than {seconds:.0f} s")
            data = os.read(pipe, MAX_ANSWER)
            if not data:
                raise _Ended(self._why())
            self._read += data
            if len(self._read) > 2 * MAX_ANSWER:
                raise _Ended("the process that reads it answers nonsense")
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _why(self) -> str:
        """How the process ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert self._process is not None
            status = self._process.wait(5)
            how = f"signal {-status}" if status < 0 else f"exit status {status}"
            why = _WHY.get(-status, "it is damaged, or this machine cannot run what reads it")
            return f"the process that reads it ended with {how}: {why}"
        return "the process that reads it gives no answer"


def _write(process: subprocess.Popen[bytes], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line.encode())
    process.stdin.flush()


def _checked(line: bytes, work: str) -> dict[str, Any]:
    """The answer, of exactly its form; raises _Ended."""
    try:
        answer = strict_json.loads(line)
    except ValueError as error:
        raise _Ended("the process that reads it answers nonsense") from error
    if not isinstance(answer, dict) or answer.get("work") != work or len(answer) != 2 or not _is_answer(answer, work):
        raise _Ended("the process that reads it answers nonsense")
    return answer


def _is_answer(answer: dict[str, Any], work: str) -> bool:
    failed, found = answer.get("failed"), answer.get("found")
    if failed is not None:
        return _has_form(failed, _FAULT)
    return _has_form(found, _FORMS[work]) if work in _FORMS else _are_numbers(found)


def _has_form(value: Any, form: Mapping[str, Callable[[Any], bool]]) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == form.keys()
        and all(form[name](item) for name, item in value.items())
    )


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _are_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _are_losses_of_speech(value: Any) -> bool:
    """Reason -> count and seconds of what was dropped."""
    return isinstance(value, dict) and all(
        re.fullmatch("[a-z_]{1,40}", reason) and isinstance(row, list) and len(row) == 2 and all(map(_is_number, row))
        for reason, row in value.items()
    )


def _are_clips(value: Any) -> bool:
    """Path, digest and text of each."""
    return isinstance(value, list) and all(
        isinstance(row, list) and len(row) == 3 and all(map(_is_text, row)) for row in value
    )


_FAULT = dict.fromkeys(("kind", "cause", "message"), _is_text)
_FORMS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "dataset": {
        "sha256": _is_digest, "source_s": _is_number, "train_minutes": _is_number, "held_out_minutes": _is_number,
        "dropped": _are_losses_of_speech, "held_out": _are_clips,
    },
    "manifest": {
        "bytes": _is_count, "sha256": _is_digest, "entries": _is_count, "dropped": _is_count, "audio_sha256": _is_digest,
        "settings": _are_numbers,
    },
    "checkpoint": {"bytes": _is_count, "sha256": _is_digest, "content_sha256": _is_digest, "format": _is_text},
}  # fmt: skip
