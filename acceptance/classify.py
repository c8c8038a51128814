"""Classification of an ended run: evidence in a fixed order gives the class, text only the cause.

Order, first match wins: what the engine says (not started, lost, out of memory, killed) -> the last phase marker -> the exit code -> text.
The engine's own state comes first because it is the only witness that the container cannot forge. Text never changes a class that earlier
evidence gave; it picks the cause within that class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from acceptance.failure import CAUSES, EXCEPTION_OF, FailureClass, StepFailure, failure_for

_ENV, _RUN, _DATA, _TRAIN = FailureClass

MARKERS = ("import_ok", "model_ok", "data_ok", "train_started", "saved")
# The class of a failure after this marker was the last one written: the job was in the stage that follows it.
_CLASS_AFTER = {"import_ok": _RUN, "model_ok": _DATA, "data_ok": _TRAIN, "train_started": _TRAIN, "saved": _TRAIN}
_CLASS_OF_EXIT = {10: _DATA, 20: _RUN, 30: _TRAIN, 126: _RUN, 127: _RUN, 132: _RUN}
_CRASH_SIGNALS = {132: "SIGILL", 134: "SIGABRT", 135: "SIGBUS", 139: "SIGSEGV"}

_PATTERNS: tuple[tuple[str, str], ...] = (
    # Most specific first. Memory and disk before the generic RuntimeError texts that carry them.
    (r"CUDA out of memory|OutOfMemoryError: CUDA|CUBLAS_STATUS_ALLOC_FAILED", "gpu_out_of_memory"),
    (r"Bus error|unable to (?:open|write to|allocate) (?:shared memory|file </torch_)|/dev/shm", "shared_memory_exhausted"),
    (r"invoked oom-killer|Out of memory: Kill|MemoryError|DefaultCPUAllocator: can't allocate|exit(?:ed)? with (?:status )?code 137", "out_of_memory"),
    (r"No space left on device|ENOSPC|Disk quota exceeded|write\(\): fd \d+ failed|Input/output error", "disk_full"),
    (r"(?:loss (?:is|became|was) (?:nan|inf)|nan loss|non.?finite loss|loss: nan)", "non_finite_loss"),
    (r"can't start new thread|pthread_create failed|Resource temporarily unavailable", "threads_blocked"),
    (r"Illegal instruction|exit code 132", "illegal_instruction"),
    (r"LocalEntryNotFoundError|OfflineModeIsEnabled|cannot find the requested files in the local cache|is not a local folder and is not a valid model", "weights_missing_offline"),
    (r"UnpicklingError|Weights only load failed|PytorchStreamReader failed|central directory|invalid load key|SafetensorError|incomplete metadata, file not fully covered", "weights_corrupt"),
    (r"version `[\w.]+' not found|undefined symbol|numpy\.(?:ndarray|dtype) size changed|compiled using NumPy 1|ABI version", "abi_mismatch"),
    (r"cannot open shared object file|cannot load library|find_library\(\) did not manage|error while loading shared libraries|DLL load failed", "missing_shared_library"),
    (r"ModuleNotFoundError|No module named|ImportError: cannot import name", "missing_module"),
    (r"CUDA driver version is insufficient|no CUDA-capable device|torch\.cuda\.is_available\(\)|Found no NVIDIA driver|CPU training is not allowed", "gpu_not_visible"),
    (r"exec format error|exec user process caused|bad interpreter", "entrypoint_not_executable"),
    (r"smudge filter lfs failed|git-lfs|over its data quota|version https://git-lfs", "lfs_pointer"),
    (r"LibsndfileError|Error opening .+: (?:System error|Format not recognised)|Format not recognised|ffmpeg[\s\S]+returned non-zero|Failed to decode|LibsndfileRuntimeError", "audio_undecodable"),
    (r"num_samples should be a positive integer|no usable speech|Padding size should be less than", "no_usable_speech"),
    (r"(?:Permission denied|Read-only file system): ", "output_not_writable"),
)
_HARMLESS = re.compile(r"\s*(?:WARNING\b|W tensorflow)")
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), cause) for pattern, cause in _PATTERNS)


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


def class_of(evidence: Evidence) -> FailureClass | None:
    """The root cause class that engine state, markers and exit code give; None when only text is left."""
    if not evidence.started or evidence.engine_lost:
        return _ENV
    if evidence.deadline_exceeded or (evidence.oom_killed and evidence.exit_code == 137):
        return _TRAIN
    last = last_marker(evidence.markers)
    if last is not None:
        return _CLASS_AFTER[last]
    if evidence.exit_code in _CRASH_SIGNALS and evidence.exit_code != 135:
        return _RUN
    return _CLASS_OF_EXIT.get(evidence.exit_code)


def last_marker(markers: Iterable[str]) -> str | None:
    """The furthest known marker, whatever the order in which they were written."""
    known = [marker for marker in MARKERS if marker in set(markers)]
    return known[-1] if known else None


def cause_in_text(text: Iterable[str], allowed: FailureClass | None) -> str | None:
    """The cause that the text names within the allowed class (None: any class), or None."""
    joined = "\n".join(line for line in text if not _HARMLESS.match(line))
    for pattern, cause in _COMPILED:
        if (allowed is None or CAUSES[cause].failure_class is allowed) and pattern.search(joined):
            return cause
    return None


def failure_of(evidence: Evidence) -> StepFailure:
    """The failure of a run that did not end well."""
    cls = class_of(evidence)
    cause = _cause(evidence, cls)
    if cls is None:
        cls = CAUSES[cause].failure_class or _TRAIN
    facts = {
        "exit_code": evidence.exit_code,
        "last_marker": last_marker(evidence.markers) or "none",
        "oom_killed": evidence.oom_killed,
        "log_tail": "\n".join(list(evidence.text)[-20:]),
    }
    return EXCEPTION_OF[cls](_describe(evidence), cause=cause, **facts)


def from_text(text: str, stage: FailureClass) -> StepFailure:
    """The failure that a bare error text gives where nothing else is known; the class of its stage when no rule knows it."""
    cause = cause_in_text(text.splitlines(), None)
    if cause is not None:
        return failure_for(cause, text.strip().splitlines()[-1] if text.strip() else "")
    return EXCEPTION_OF[stage](text.strip()[-500:], cause="unclassified")


def _cause(evidence: Evidence, cls: FailureClass | None) -> str:
    state = _cause_of_state(evidence)
    if state is not None:
        return state
    if evidence.status_cause in CAUSES and (cls is None or CAUSES[evidence.status_cause].failure_class is cls):
        return evidence.status_cause
    text = cause_in_text(evidence.text, cls)
    if text is not None:
        return text
    if cls is _RUN and evidence.exit_code in (126, 127):
        return "entrypoint_not_executable"
    if cls is _RUN and evidence.exit_code == 132:
        return "illegal_instruction"
    if cls in (None, _TRAIN):
        return "killed" if evidence.exit_code in (137, 143) else "trainer_exit_nonzero"
    return "unclassified"


def _cause_of_state(evidence: Evidence) -> str | None:
    if evidence.engine_lost:
        return "engine_lost"
    if not evidence.started:
        return "container_create_failed"
    if evidence.deadline_exceeded:
        return "deadline_exceeded"
    if evidence.oom_killed and evidence.exit_code == 137:
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
    if evidence.oom_killed and evidence.exit_code == 137:
        return "the kernel killed the container for memory (exit code 137)"
    signal = _CRASH_SIGNALS.get(evidence.exit_code or 0)
    reason = next((line.partition("message=")[2] for line in reversed(evidence.text) if line.startswith("FAILURE ")), "")
    ended = f"the job ended with exit code {evidence.exit_code}" + (f" ({signal})" if signal else "")
    return f"{ended} after marker {last_marker(evidence.markers) or 'none'}" + (f": {reason}" if reason else "")
