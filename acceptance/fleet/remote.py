"""A session on a machine that shares no disk with the fleet: its workspace comes and goes as an archive."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from acceptance.fleet import member_session
from acceptance.fleet.engines import end
from acceptance.fleet.member_workspace import MemberWorkspace
from acceptance.fleet.members import Member
from acceptance.fleet.session_options import SessionOptions
from acceptance.objective import PROJECT_ROOT
from trainer.production import version

_LOCKS = ("artifacts/.lock", "artifacts/.owner")


class RemoteSession:
    """What a cluster runs for one voice: it starts the session, waits a while when asked, and packs what the session left."""

    def __init__(self) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="voice-fleet-")
        self._process: subprocess.Popen[bytes] | None = None
        self._workspace: MemberWorkspace | None = None

    def version(self) -> str:
        """Of the project on this machine."""
        return project_version()

    def begin(self, archive: bytes, member: Member, options: SessionOptions, variables: Mapping[str, str]) -> None:
        """Unpack the workspace and start; `variables` are those of the fleet's machine that change an objective."""
        self._workspace = MemberWorkspace(member=member, path=Path(self._place.name).resolve() / member.name)
        # Made by the fleet's own machine a moment ago.
        unpack(archive, self._workspace.path, trusted=True)
        os.environ.update(variables)
        self._process = member_session.start(self._workspace, options)

    def wait(self, seconds: float) -> int | None:
        """The session's exit status, or None if it still runs after so long."""
        assert self._process is not None, "begin first"
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def stop(self) -> int:
        """Ask the session to end and wait for it; its exit status."""
        assert self._process is not None, "begin first"
        end([self._process])
        return self._process.returncode

    def packed(self) -> bytes:
        """The workspace with all that the session left."""
        assert self._workspace is not None, "begin first"
        return pack(self._workspace.path)


def project_version() -> str:
    """Of the harness and of the trainer: machines of one fleet must have the same."""
    found = hashlib.sha256()
    for path in sorted((PROJECT_ROOT / "acceptance").rglob("*")):
        if path.suffix in (".py", ".yaml", ".toml") and path.is_file():
            found.update(f"{path.relative_to(PROJECT_ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"acceptance {found.hexdigest()[:12]}, {version.version()}"


def pack(folder: Path) -> bytes:
    """Everything below a folder as an archive, locks aside."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.add(folder, arcname=".", filter=lambda member: None if member.name[2:] in _LOCKS else member)
    return out.getvalue()


def unpack(archive: bytes, folder: Path, *, trusted: bool) -> None:
    """Write an archive into a new folder; raises OSError, tarfile.TarError for a member that leads out of it unless it is trusted."""
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r") as opened:
        opened.extractall(folder, filter="tar" if trusted else "data")
