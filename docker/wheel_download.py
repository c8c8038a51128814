"""Download wheels for the target platform with pip: a line of progress now and then, torch alone from where its CPU build is.

An ordinary index serves no version with a local label, and its plain torch is a CUDA build of several GB. So torch comes from what pip is
configured with, when that has the CPU build, else from TORCH_CPU_INDEX. TORCH_INDEX_URL names another index, and then only that one is asked.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROGRESS_SECONDS = 10.0
PLATFORM_ARGUMENTS = (
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.11",
    *(f"--abi={abi}" for abi in ("cp311", "abi3", "none")),
    # Debian 12 has glibc 2.36; every tag up to it may be installed there.
    *(f"--platform=manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)),
    *(f"--platform={tag}_x86_64" for tag in ("manylinux2014", "manylinux2010", "manylinux1", "linux")),
)
UNREACHABLE = re.compile(
    r"connection broken by|Could not fetch URL|Max retries exceeded|Temporary failure in name resolution"
)


class DownloadError(Exception):
    """pip could not fetch a wheel; the message is pip's own reason."""

    def __init__(self, stderr: str) -> None:
        reason = [line for line in stderr.splitlines() if not line.startswith(("WARNING", "[notice]"))]
        super().__init__("pip could not fetch the wheels:\n  " + "\n  ".join(reason[-12:] or ["(pip said nothing)"]))
        self.unreachable = UNREACHABLE.search(stderr) is not None

    def short(self) -> str:
        """What an index did, in few words."""
        if self.unreachable:
            return "cannot be reached"
        return (
            "serves other bytes than the lock allows" if "DO NOT MATCH THE HASHES" in str(self) else "does not have it"
        )


class TorchUnavailable(DownloadError):
    """No index that was asked gave the CPU build of torch; the message is one line."""

    def __init__(self, tried: list[tuple[str, DownloadError]]) -> None:
        Exception.__init__(self, "; ".join(f"{name} {error.short()}" for name, error in tried))
        self.unreachable = tried[-1][1].unreachable


@contextmanager
def pip_command() -> Iterator[list[str]]:
    """A pip to run: this interpreter's own, else one in a throw-away virtual environment. Raises DownloadError."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="wheelhouse-pip-") as scratch:
        made = subprocess.run([sys.executable, "-m", "venv", scratch], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise DownloadError(
                "this Python has neither pip nor ensurepip. Next step: sudo apt-get install -y python3-venv"
            )
        yield [f"{scratch}/bin/python", "-m", "pip"]


def pip_download(pip: list[str], arguments: list[str], destination: Path, *, total: int = 0) -> None:
    """Run `pip download` for the target platform; `total` wheels are expected. Raises DownloadError with pip's reason."""
    command = [*pip, "--disable-pip-version-check", "download", "--retries=2", "--progress-bar=off"]
    command += [*PLATFORM_ARGUMENTS, f"--dest={destination}", *arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            watch(process, total)
        errors.seek(0)
        if process.returncode != 0:
            raise DownloadError(errors.read())


def watch(process: subprocess.Popen[str], total: int) -> None:
    """Wait for pip, and say every PROGRESS_SECONDS how far it is."""
    headers: list[str] = []

    def read() -> None:
        for line in process.stdout or ():
            if line.startswith(("Collecting ", "Processing ")):
                headers.append(line.split()[1].rpartition("/")[2])

    started = time.monotonic()
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while True:
        reader.join(PROGRESS_SECONDS)
        if not reader.is_alive():
            break
        of = f" of {total}" if total else ""
        now = f", now {headers[-1]}" if headers else ""
        print(
            f"  fetching: {max(len(headers) - 1, 0)}{of} wheels there{now} ({time.monotonic() - started:.0f} s)",
            flush=True,
        )
    process.wait()


def torch_index() -> str:
    """The index that TORCH_INDEX_URL names for torch alone, or nothing."""
    return os.environ.get("TORCH_INDEX_URL", "").strip()


def download_torch(pip: list[str], arguments: list[str], destination: Path) -> None:
    """Download the CPU build of torch: `arguments` name its version. Raises TorchUnavailable."""
    url = torch_index()
    sources = [(url, url)] if url else [("pip's own index", ""), (TORCH_CPU_INDEX, TORCH_CPU_INDEX)]
    tried: list[tuple[str, DownloadError]] = []
    for name, index in sources:
        try:
            pip_download(pip, [*arguments, *([f"--index-url={index}"] if index else [])], destination)
        except DownloadError as error:
            tried.append((name, error))
        else:
            print(f"  torch: its CPU build from {name}", flush=True)
            return
    raise TorchUnavailable(tried)
