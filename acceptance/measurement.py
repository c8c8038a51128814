"""The host's own measurement of the losses; the half that needs no trained weights is done while the job still trains."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from acceptance.failure import TrainFailed
from acceptance.settings import Settings

if TYPE_CHECKING:
    from trainer.evaluation import Baseline
    from trainer.settings import TrainSettings

DATA_MARKER = "data_ok"
_PATIENCE_S = 120.0  # for a background that hangs; what it would have measured is then measured in the foreground


class Measurement:
    """Losses of a checkpoint of this project's format, from the files and the objective alone.

    Importing torch, analysing the held-out speech and measuring the untrained start take seconds: `begin` does them in the background.
    What fails there is done again, and reported, in `losses`; what was measured there counts only for the very manifest it was measured on.
    """

    def __init__(self, manifest: Path, settings: Settings) -> None:
        self._manifest, self._settings = manifest, settings
        self._data_there = threading.Event()
        self._thread: threading.Thread | None = None
        self._prepared: Baseline | None = None

    def begin(self) -> None:
        """Import and warm up now; read the manifest as soon as `hear` got the job's marker."""
        # With torch loaded, the interpreter's last garbage collection takes a third of a second; nothing waits for it.
        atexit.register(gc.freeze)
        self._thread = threading.Thread(target=self._prepare, name="measurement", daemon=True)
        self._thread.start()

    def hear(self, line: str) -> None:
        """Take one line of the job's stream; only the marker that the manifest is there means something."""
        if line == DATA_MARKER:
            self._data_there.set()

    def finish(self) -> None:
        """Wait for what `begin` started, where there is something to wait for."""
        if self._thread is not None and self._data_there.is_set():
            self._thread.join(_PATIENCE_S)

    def losses(self, checkpoint: Path) -> dict[str, float]:
        """Start, trained and control losses; raises TrainFailed (checkpoint_invalid | manifest_invalid)."""
        from trainer import evaluation  # imports torch
        from trainer.checkpoint import CheckpointError
        from trainer.errors import TrainerError

        self.finish()
        try:
            return evaluation.remeasure(
                checkpoint,
                self._manifest,
                seed=self._settings.seed,
                threads=self._settings.threads,
                heldout_seconds=self._training().heldout_seconds,
                prepared=self._prepared,
            )
        except CheckpointError as error:
            raise TrainFailed(f"checkpoint: {error}", cause="checkpoint_invalid") from error
        except TrainerError as error:
            raise TrainFailed(f"the learning proof cannot be measured: {error}", cause="manifest_invalid") from error

    def _training(self) -> TrainSettings:
        from trainer.settings import TRAIN_PREFIX, TrainSettings, from_environment

        return from_environment(TrainSettings, TRAIN_PREFIX, self._settings.env)

    def _prepare(self) -> None:
        with contextlib.suppress(Exception):
            import torch

            from trainer import checkpoint, determinism, evaluation

            training = self._training()
            config = evaluation.VocoderConfig(width=training.width, hidden=training.hidden, blocks=training.blocks)
            determinism.fix(self._settings.threads)
            # The first use of torch's reader and of the network is slow.
            start = evaluation.Vocoder.untrained(config, seed=self._settings.seed)
            torch.load(io.BytesIO(checkpoint.serialise({"model": start.state_dict()})), weights_only=True)
            self._data_there.wait()
            self._prepared = evaluation.baseline(
                self._manifest, config, seed=self._settings.seed, heldout_seconds=training.heldout_seconds
            )
