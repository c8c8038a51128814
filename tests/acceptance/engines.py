"""Real Docker engines for tests: the machine's own (never stopped, never cleaned but of what a test made), and a tiny base image on it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.failure import StepFailure
from acceptance.runtimes.docker.runtime import DockerRuntime

BUSYBOX = Path("/bin/busybox")
APPLETS = [
    "awk", "basename", "cat", "chmod", "cp", "cut", "date", "dd", "dirname", "echo", "env", "grep", "head", "id",
    "kill", "ln", "ls", "mkdir", "mkfifo", "mv", "od", "printf", "rm", "sed", "seq", "sh", "sha256sum", "sleep",
    "stat", "sync", "tail", "touch", "tr", "true", "yes",
]  # fmt: skip


def docker(*arguments: str, host: str | None = None, stdin: bytes | None = None) -> str:
    """Output of the docker command line client."""
    command = ["docker", *(() if host is None else ("-H", host)), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True, timeout=120).stdout.decode().strip()


def require_engine() -> str:
    """Address of the machine's engine; skips the test where none answers."""
    if shutil.which("docker") is None:
        pytest.skip("needs the docker command line client")
    try:
        DockerRuntime().check_daemon()
    except StepFailure as failure:
        pytest.skip(f"needs a Docker daemon: {failure}")
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


@contextlib.contextmanager
def tiny_base_image(host: str | None = None, *, salt: str = "") -> Iterator[str]:
    """A base image of a static busybox and nothing else; the tag and what was built from it are removed at the end.

    `salt` makes its layer one of its own: what others build from theirs meanwhile is not removed.
    """
    if not BUSYBOX.exists():
        pytest.skip(f"needs a static busybox at {BUSYBOX} (package busybox-static)")
    tag = f"acceptance-test-base:{uuid.uuid4().hex[:12]}"
    docker("import", "-", tag, host=host, stdin=base_archive(salt))
    layer = docker("image", "inspect", "-f", "{{index .RootFS.Layers 0}}", tag, host=host)
    try:
        yield tag
    finally:
        for image in docker("images", "-q", "--filter", "dangling=true", host=host).split():
            with contextlib.suppress(subprocess.CalledProcessError):
                if layer in docker("image", "inspect", "-f", "{{.RootFS.Layers}}", image, host=host):
                    docker("rmi", "-f", image, host=host)
        docker("rmi", "-f", tag, host=host)


def base_archive(salt: str = "") -> bytes:
    """A root file system of busybox and nothing else; `salt` is the name of an empty directory in it."""
    buffer = io.BytesIO()
    with tarfile.open(mode="w", fileobj=buffer) as archive:
        archive.add(BUSYBOX, "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        for name, mode in (
            ("tmp", 0o1777),
            ("etc", 0o755),
            ("out", 0o755),
            *(((f"etc/{salt}", 0o755),) if salt else ()),
        ):
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, mode
            archive.addfile(directory)
    return buffer.getvalue()
