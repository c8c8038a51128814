"""The host's own measurement of the losses, made by the examining process."""

from __future__ import annotations

from acceptance.causes import CAUSES
from acceptance.evidence.child import ExaminationError, Examiner
from acceptance.failure import RuntimeBlocked, TrainFailed

AHEAD = "start"
"""The half of `losses` that needs no trained weights: the examiner may begin it while the job still trains.

It imports torch, analyses the speech and measures the untrained start, which takes seconds. `losses` does again what fails there, and uses
what was measured there only for the very manifest it was measured on.
"""
DATA_MARKER = "data_ok"
"""The job's marker that the manifest is there; a job that ends before it costs no measurement."""


def losses(examiner: Examiner) -> dict[str, float]:
    """Start, trained and control losses of a checkpoint of this project's formats, from the files and the objective alone.

    Raises TrainFailed (checkpoint_invalid | manifest_invalid), and RuntimeBlocked where the host lacks what measuring needs.
    """
    try:
        return examiner.ask("losses")
    except ExaminationError as error:
        failed = error.failed
        if failed.kind == "setup":
            cause = failed.cause if failed.cause in CAUSES else "unclassified"
            raise RuntimeBlocked(
                f"the host cannot measure the learning proof: {failed.message}", cause=cause
            ) from error
        if failed.kind == "data":
            raise TrainFailed(
                f"the learning proof cannot be measured: {failed.message}", cause="manifest_invalid"
            ) from error
        raise TrainFailed(f"checkpoint: {failed.message}", cause="checkpoint_invalid") from error
