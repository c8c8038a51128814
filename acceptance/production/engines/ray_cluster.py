"""A connection to a Ray cluster that runs already; each thing that can be wrong with it is one clear line."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

from acceptance.failure import HarnessError

AUTO = "auto"
_CONNECT_S = 10.0


def imported() -> Any:
    """The package ray; raises HarnessError(missing_module)."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise HarnessError(
            f"the engine ray needs the package ray ({error}); install it: pip install voice-acceptance[distributed]",
            cause="missing_module",
        ) from error
    return ray


@contextlib.contextmanager
def connected(ray: Any, address: str) -> Iterator[None]:
    """Connect to a cluster that runs; raises HarnessError(cluster_unreachable | cluster_differs | settings_invalid)."""
    if ray.is_initialized():  # whoever did that ends it, too
        yield
        return
    _require_address(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError) as error:
        raise _unreachable(address, error) from error
    except RuntimeError as error:  # another release of Ray or Python
        reason = " ".join(str(error).split())[:300]
        raise HarnessError(
            f"the Ray cluster at {address} does not fit ({reason}); use the same releases of Python and Ray here and there",
            cause="cluster_differs",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()  # its tasks end with it


def _require_address(address: str) -> None:
    """Raises HarnessError for an address where nobody listens: Ray itself would try for minutes."""
    if address == AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not host or "/" in host or not port.isdigit():
        raise HarnessError(
            f"{address!r} is no address of a Ray cluster; give auto (on a machine of the cluster) or HOST:PORT of its head",
            cause="settings_invalid",
        )
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception) -> HarnessError:
    reason = (" ".join(str(error).split()) or type(error).__name__)[:200]
    return HarnessError(
        f"no Ray cluster answers at {address} ({reason}); start one there (ray start --head), give another address, or use the engine local",
        cause="cluster_unreachable",
    )
