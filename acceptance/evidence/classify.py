"""Classification of an ended run: evidence in a fixed order gives the class, text only the cause.

Order, first match wins: what the engine says (not started, lost, out of memory, killed) -> the last phase marker -> the exit code -> text.
The engine's own state comes first because it is the only witness that the container cannot forge. Text never changes a class that earlier
evidence gave; it picks the cause within that class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from acceptance.causes import CAUSES, CLASS_OF, FailureClass
from acceptance.failure import EXCEPTION_OF, StepFailure
from trainer.job.contract import (
    JOB_CAUSES,
    STAGE_AFTER,
    UNCLASSIFIED,
    ExitStatus,
    furthest,
    stated_cause,
    stated_message,
)

_ENV, _RUN, _DATA, _TRAIN = FailureClass

# Exit codes that say something before the first marker; 126 and 127 come from a shell that could not start a program.
_CLASS_OF_EXIT: dict[int | None, FailureClass] = {126: _RUN, 127: _RUN}
_CLASS_OF_EXIT.update(CLASS_OF.items())
# The container ran and its init could not execute the entrypoint.
_NOT_EXECUTED = (1, 126, 127)
_CRASH_SIGNALS = {132: "SIGILL", 134: "SIGABRT", 135: "SIGBUS", 139: "SIGSEGV"}

# Most specific first. Memory and disk stand before the generic texts that carry them.
_TEXTS: tuple[tuple[str, str], ...] = (
    ("gpu_out_of_memory", r"CUDA out of memory|OutOfMemoryError: CUDA|CUBLAS_STATUS_ALLOC_FAILED"),
    ("shared_memory_exhausted", r"Bus error|unable to (?:open|write to|allocate) (?:shared memory|file </torch_)"),
    (
        "out_of_memory",
        r"invoked oom-killer|Out of memory: Kill|MemoryError|can't allocate memory|"
        r"exit(?:ed)? with (?:status )?code 137",
    ),
    ("disk_full", r"No space left on device|ENOSPC|Disk quota exceeded"),
    ("non_finite_loss", r"loss (?:is|became|was) (?:nan|inf)|nan loss|non.?finite loss|loss: nan"),
    ("threads_blocked", r"can't start new thread|pthread_create failed|Resource temporarily unavailable"),
    ("illegal_instruction", r"Illegal instruction|exit code 132"),
    (
        "weights_missing_offline",
        r"LocalEntryNotFoundError|OfflineModeIsEnabled|requested files in the local cache|"
        r"not a local folder and is not a valid",
    ),
    (
        "weights_corrupt",
        r"UnpicklingError|Weights only load failed|PytorchStreamReader failed|central directory|"
        r"invalid load key|SafetensorError|incomplete metadata, file not fully covered",
    ),
    (
        "abi_mismatch",
        r"version `[\w.]+' not found|undefined symbol|numpy\.(?:ndarray|dtype) size changed|"
        r"compiled using NumPy 1|ABI version",
    ),
    (
        "missing_shared_library",
        r"cannot open shared object file|cannot load library|find_library\(\) did not manage|"
        r"error while loading shared libraries",
    ),
    ("missing_module", r"ModuleNotFoundError|No module named|ImportError: cannot import name"),
    (
        "gpu_not_visible",
        r"CUDA driver version is insufficient|no CUDA-capable device|assert torch\.cuda\.is_available\(\)|"
        r"Found no NVIDIA driver|CPU training is not allowed",
    ),
    ("entrypoint_not_executable", r"exec format error|exec user process caused|bad interpreter"),
    ("lfs_pointer", r"smudge filter lfs failed|filter 'git-lfs|over its data quota|version https://git-lfs"),
    (
        "audio_undecodable",
        r"LibsndfileError|LibsndfileRuntimeError|Error opening .+: System error|Format not recognised|"
        r"ffmpeg[\s\S]+returned non-zero|Failed to decode",
    ),
    (
        "no_usable_speech",
        r"num_samples should be a positive integer|no usable speech|Padding size should be less than",
    ),
    ("output_not_writable", r"(?:Permission denied|Read-only file system): "),
)
_HARMLESS = re.compile(r"\s*(?:WARNING\b|W tensorflow)")
# Only where a training writes are these signs of a full disk.
_FULL_WHILE_SAVING = re.compile(r"write\(\): fd \d+ failed|Input/output error", re.IGNORECASE)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), cause) for cause, pattern in _TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of an ended run, the engine's own observations first."""

    started: bool = True
    engine_lost: bool = False
    oom_killed: bool = False
    deadline_exceeded: bool = False
    exit_code: int | None = 0
    markers: Sequence[str] = ()
    """Phase markers of this run in order."""
    status_cause: str | None = None
    """`cause` of this run's own train status, when it wrote one."""
    text: Sequence[str] = ()
    """The end of the stream."""

    @property
    def out_of_memory(self) -> bool:
        """Whether the engine saw the kernel kill for memory, and the job died of it or gave up its training."""
        return self.oom_killed and self.exit_code in (137, int(ExitStatus.TRAINING))


def class_of(evidence: Evidence) -> FailureClass | None:
    """The root cause class that engine state, markers and exit code give; None when only text is left."""
    if evidence.engine_lost:
        return _ENV
    if not evidence.started:
        return _RUN if evidence.exit_code in _NOT_EXECUTED else _ENV
    if evidence.deadline_exceeded or evidence.out_of_memory:
        return _TRAIN
    last = furthest(evidence.markers)
    if last is not None:
        return CLASS_OF[STAGE_AFTER[last].status]
    if evidence.exit_code in _CRASH_SIGNALS and evidence.exit_code != 135:
        return _RUN
    return _CLASS_OF_EXIT.get(evidence.exit_code)


def cause_in_text(text: Iterable[str], allowed: FailureClass | None) -> str | None:
    """The cause that the text names within the allowed class (None: any class), or None."""
    joined = "\n".join(line for line in text if not _HARMLESS.match(line))
    for pattern, cause in _COMPILED:
        if allowed is not None and CAUSES[cause].failure_class not in (None, allowed):
            continue
        saving = cause == "disk_full" and allowed in (None, _TRAIN) and _FULL_WHILE_SAVING.search(joined)
        if saving or pattern.search(joined):
            return cause
    return None


def is_disk_full(text: str) -> bool:
    """Whether a text tells that no space, no inode or no quota is left."""
    return next(pattern for pattern, cause in _COMPILED if cause == "disk_full").search(text) is not None


def failure_of(evidence: Evidence) -> StepFailure:
    """The failure of a run that did not end well."""
    cls = class_of(evidence)
    cause = _cause(evidence, cls)
    if cls is None:
        cls = CAUSES[cause].failure_class or _TRAIN
    facts = {
        "exit_code": evidence.exit_code,
        "last_marker": furthest(evidence.markers) or "none",
        "oom_killed": evidence.oom_killed,
        "log_tail": "\n".join(list(evidence.text)[-20:]),
    }
    return EXCEPTION_OF[cls](_describe(evidence), cause=cause, **facts)


def _cause(evidence: Evidence, cls: FailureClass | None) -> str:
    state = _cause_of_state(evidence)
    if state is not None:
        return state
    for stated in (evidence.status_cause, stated_cause(evidence.text)):
        if stated in JOB_CAUSES and CAUSES[stated].failure_class in (None, cls or _TRAIN):
            return stated
    text = cause_in_text(evidence.text, cls)
    if text is not None:
        return text
    if cls is _RUN and evidence.exit_code in (126, 127):
        return "entrypoint_not_executable"
    if cls is _RUN and evidence.exit_code == 132:
        return "illegal_instruction"
    if cls in (None, _TRAIN):
        return "killed" if evidence.exit_code in (137, 143) else "trainer_exit_nonzero"
    return UNCLASSIFIED


def _cause_of_state(evidence: Evidence) -> str | None:
    if evidence.engine_lost:
        return "engine_lost"
    if not evidence.started:
        return "entrypoint_not_executable" if evidence.exit_code in _NOT_EXECUTED else "container_create_failed"
    if evidence.deadline_exceeded:
        return "deadline_exceeded"
    if evidence.out_of_memory:
        return "out_of_memory"
    if evidence.exit_code == 135:
        return "shared_memory_exhausted" if class_of(evidence) in (None, _TRAIN) else None
    return None


def _describe(evidence: Evidence) -> str:
    if evidence.engine_lost:
        return "the engine went away while the container ran; its exit code is unknown"
    if not evidence.started:
        return "the container did not start"
    if evidence.deadline_exceeded:
        return "the training passed its deadline and was stopped"
    if evidence.out_of_memory:
        reason = stated_message(evidence.text)
        what = "the container" if evidence.exit_code == 137 else "a process of the container"
        return f"the kernel killed {what} for memory (exit code {evidence.exit_code})" + (
            f": {reason}" if reason else ""
        )
    signal = _CRASH_SIGNALS.get(evidence.exit_code or 0)
    reason = stated_message(evidence.text)
    ended = f"the job ended with exit code {evidence.exit_code}" + (f" ({signal})" if signal else "")
    return f"{ended} after marker {furthest(evidence.markers) or 'none'}" + (f": {reason}" if reason else "")
