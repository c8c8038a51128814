"""The examining process: `python -m acceptance.evidence.examiner`, started by `acceptance.evidence.child`.

It reads a brief and then one request a line from standard input, and answers each with one line of JSON on standard output. What a
container wrote may end this process or fill its memory; that is an answer too.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from acceptance.evidence import limits
from acceptance.evidence.examination import ArtifactExamination, Brief, allowance
from trainer.errors import RuntimeSetupError, TrainerError
from trainer.files.printable import printable
from trainer.files.tensor_archive import CheckpointError

MESSAGE_WIDTH = 2000


def main() -> None:
    """Answer requests until there are no more."""
    limits.confine()
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a library prints is no answer
    brief = Brief(**json.loads(sys.stdin.readline()))
    serve(brief, sys.stdin, answers)
    os._exit(0)  # with torch loaded, the interpreter's last garbage collection takes a third of a second


def serve(brief: Brief, requests: TextIO, answers: TextIO) -> None:
    """One answer for each request."""
    examination = ArtifactExamination(brief)
    for line in requests:
        work = line.strip()
        answers.write(json.dumps({"work": work, **_answer(examination, brief, work)}) + "\n")
        answers.flush()


def _answer(examination: ArtifactExamination, brief: Brief, work: str) -> dict[str, Any]:
    allowed = allowance(work, brief)
    limits.allow(memory_bytes=allowed.memory_bytes, cpu_seconds=allowed.cpu_seconds)
    try:
        return {"found": getattr(examination, work)()}
    except CheckpointError as error:
        return _failure("checkpoint", error.cause, error, brief)
    except RuntimeSetupError as error:
        return _failure("setup", error.cause, error, brief)
    except TrainerError as error:
        return _failure("data", error.cause, error, brief)
    except (MemoryError, RecursionError) as error:
        return _failure("limit", "", f"reading it takes too much memory ({type(error).__name__})", brief)
    except Exception as error:
        return _failure("other", "", f"{type(error).__name__}: {error}", brief)


def _failure(kind: str, cause: str, problem: object, brief: Brief) -> dict[str, Any]:
    message = str(problem).replace(str(Path(brief.manifest).parent), ".")
    return {"failed": {"kind": kind, "cause": cause, "message": printable(message, MESSAGE_WIDTH)}}


if __name__ == "__main__":
    main()
