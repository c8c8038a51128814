"""The host's own measurement of the losses; the half that needs no trained weights is done while the job still trains."""

from __future__ import annotations

from acceptance.causes import CAUSES
from acceptance.evidence.child import ExaminationError, Examiner
from acceptance.failure import RuntimeBlocked, TrainFailed

DATA_MARKER = "data_ok"


class Measurement:
    """Losses of a checkpoint of this project's formats, from the files and the objective alone, in the examining process.

    Importing torch, analysing the speech and measuring the untrained start take seconds: they are done beside the training, from the job's
    marker on that the manifest is there; a job that ends before it costs none of that. What fails there is done again, and reported, in
    `losses`; what was measured there counts only for the very manifest it was measured on.
    """

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner
        self._begun = False

    def begin(self) -> None:
        """Measure ahead as soon as `hear` got the job's marker."""
        self._begun = True

    def hear(self, line: str) -> None:
        """Take one line of the job's stream; only the marker that the manifest is there means something."""
        if line == DATA_MARKER and self._begun:
            self._begun = False
            self._examiner.begin("start")

    def losses(self) -> dict[str, float]:
        """Start, trained and control losses.

        Raises TrainFailed (checkpoint_invalid | manifest_invalid), and RuntimeBlocked where the host lacks what measuring needs.
        """
        try:
            return self._examiner.ask("losses")
        except ExaminationError as error:
            failed = error.failed
            if failed.kind == "setup":
                cause = failed.cause if failed.cause in CAUSES else "unclassified"
                raise RuntimeBlocked(f"the host cannot measure the learning proof: {failed.message}", cause=cause) from error
            if failed.kind == "data":
                raise TrainFailed(f"the learning proof cannot be measured: {failed.message}", cause="manifest_invalid") from error
            raise TrainFailed(f"checkpoint: {failed.message}", cause="checkpoint_invalid") from error
