"""The host's own measurement of the losses; the half that needs no trained weights is done while the job still trains."""

from __future__ import annotations

import atexit
import contextlib
import gc
import threading
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from acceptance import job
from acceptance.failure import CAUSES, RuntimeBlocked, TrainFailed
from acceptance.settings import Settings

if TYPE_CHECKING:
    from trainer.backbones import Backbone

DATA_MARKER = "data_ok"
_PATIENCE_S = 300.0  # for a background that hangs; what it would have measured is then measured in the foreground


class Measurement:
    """Losses of a checkpoint of this project's formats, from the files and the objective alone.

    Importing torch, analysing the held-out speech and measuring the untrained start take seconds: `begin` does them in the background.
    What fails there is done again, and reported, in `losses`; what was measured there counts only for the very manifest it was measured on.
    """

    def __init__(self, settings: Settings, workspace: Path) -> None:
        self._settings, self._workspace = settings, workspace
        self._manifest = workspace / settings.manifest
        self._data_there = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._prepared: Any = None

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

    def close(self) -> None:
        """End what `begin` started at its next step, and wait for that: a thread inside torch aborts an interpreter that ends around it."""
        self._closed = True
        self._data_there.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)

    def losses(self, checkpoint: Path) -> dict[str, float]:
        """Start, trained and control losses.

        Raises TrainFailed (checkpoint_invalid | manifest_invalid), and RuntimeBlocked where the host lacks what measuring needs.
        """
        from trainer.checkpoint import CheckpointError  # imports torch
        from trainer.errors import RuntimeSetupError, TrainerError

        self.finish()
        try:
            return self._backbone().measure(
                checkpoint, self._manifest, seed=self._settings.seed, threads=self._settings.threads, prepared=self._prepared
            )
        except CheckpointError as error:
            raise TrainFailed(f"checkpoint: {error}", cause="checkpoint_invalid") from error
        except RuntimeSetupError as error:
            cause = error.cause if error.cause in CAUSES else "unclassified"
            raise RuntimeBlocked(f"the host cannot measure the learning proof: {error}", cause=cause) from error
        except TrainerError as error:
            raise TrainFailed(f"the learning proof cannot be measured: {error}", cause="manifest_invalid") from error

    def _backbone(self) -> Backbone:
        from trainer import backbones

        return backbones.create(job.environment(self._settings, PurePosixPath(self._workspace), ""), workspace=self._workspace)

    def _prepare(self) -> None:
        with contextlib.suppress(Exception):
            from trainer import determinism

            if self._closed:
                return
            determinism.fix(self._settings.threads)
            backbone = self._backbone()
            backbone.load()
            self._data_there.wait()
            if self._closed:
                return
            self._prepared = backbone.measure_start(self._manifest, seed=self._settings.seed, threads=self._settings.threads)
