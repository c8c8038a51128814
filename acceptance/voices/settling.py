"""Keeping the voices when a run's outputs are accepted: the one that it certified, and the one that it takes the place of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from acceptance.evidence import outputs
from acceptance.evidence.untrusted_file import identify_if_regular
from acceptance.failure import HarnessError
from acceptance.record.makers import certifier
from acceptance.record.record import RunRecord
from acceptance.voices import store
from acceptance.voices.certificate import certificate
from trainer.errors import TrainerError


def keep_voices(workspace: Path, run_dir: Path, record: RunRecord, warn: Callable[[str], None]) -> bool:
    """Keep the voice of a run that ended in success, and the certified one that stood there before.

    Returns False, after a warning, if one could not be kept: the run's copies of the previous outputs must then stay.
    """
    if not outputs.kept_paths(run_dir):
        return True  # its outputs are accepted already
    checkpoint = workspace / str(record.session.get("settings", {}).get("checkpoint"))
    previous = run_dir / outputs.PREVIOUS / "checkpoint"
    try:
        _keep_previous(workspace, previous)
        store.keep(workspace, checkpoint, certificate(record))
    except (HarnessError, TrainerError, OSError, ValueError) as error:
        where = checkpoint.relative_to(workspace)
        warn(
            f"the voice is good but NOT kept in {store.VOICES}: {str(error).replace(f'{workspace}/', '')}. Nothing is lost: it is {where}, and what "
            f"stood there before is in {run_dir.relative_to(workspace)}/{outputs.PREVIOUS}/; then keep it: voice keep {where}"
        )
        return False
    return True


def _keep_previous(workspace: Path, path: Path) -> None:
    """A certified voice of an earlier harness, or one that a full disk kept out of the store, enters it now; raises as `store.keep`."""
    found = identify_if_regular(path)
    if found is None or store.holds(workspace, found.sha256):
        return
    made_by = certifier(workspace, found.sha256)
    if made_by is not None:
        store.keep(workspace, path, certificate(made_by))
