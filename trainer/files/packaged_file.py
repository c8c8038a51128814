"""Model files inside installed packages: found without importing the package, and used only when their bytes are the known ones."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from trainer.errors import RuntimeSetupError


def find(package: str, name: str, *, distribution: str | None = None) -> Path:
    """Path of `name` below the folder of `package` (`distribution`: its name for pip).

    Raises RuntimeSetupError: missing_module, weights_missing_offline.
    """
    distribution = distribution or package
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeSetupError(
            f"{package} is not installed; install it: pip install {distribution}", cause="missing_module"
        )
    path = Path(next(iter(spec.submodule_search_locations))) / name
    if not path.exists():
        raise RuntimeSetupError(f"{path} is missing; install {distribution} again", cause="weights_missing_offline")
    return path


def read(package: str, name: str, *, sha256: str, distribution: str | None = None) -> bytes:
    """Bytes of a packaged file with the given hash; raises RuntimeSetupError as `find`, and weights_corrupt."""
    path = find(package, name, distribution=distribution)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RuntimeSetupError(
            f"{path}: {error.strerror}; install {distribution or package} again", cause="weights_missing_offline"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise RuntimeSetupError(
            f"{path} is not the expected file (sha256 {found[:12]}, not {sha256[:12]}); install the pinned {distribution or package}",
            cause="weights_corrupt",
        )
    return data
