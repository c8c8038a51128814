"""The image is there and the container does not come up, or may not write: each reason by its own cause, before any training."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.runtimes.base import LABEL_OWNER, LABEL_RUN_ID
from acceptance.runtimes.ownership import current_owner
from tests.acceptance.engines import docker
from tests.acceptance.faults.site import CHECKPOINT, Site, check_blocked
from tests.acceptance.harness import collect, start_acceptance

STARTED, WRITABLE = "phase_3_readiness.container_started", "phase_3_readiness.mount_writable"


def test_a_mount_source_that_the_daemon_does_not_have(docker_site: Site, private_mounts: None) -> None:
    """The session sees its output directories in a mount namespace of its own; the daemon sees none of them, and is to mount them."""
    hidden = docker_site.workspace.parent / "hidden"
    docker_site.path("out").rename(hidden)
    docker_site.path("out").mkdir()
    bind = f'mount --bind "{hidden}" "{docker_site.path("out")}" && exec "$@"'
    session = docker_site.run("go", "--set", "transfer=bind", prefix=("unshare", "--mount", "sh", "-c", bind, "sh"))
    kept = {Path(str(path).replace("/workspace/out/", "/hidden/")): value for path, value in docker_site.kept.items()}
    check_blocked(session, "environment_blocked", STARTED, "mount_source_missing", kept=kept)
    assert list(docker_site.path("out").iterdir()) == [], "the engine made a directory where the source is missing"


def test_an_output_directory_without_write_permission(docker_site: Site) -> None:
    """Root inside the container has no capabilities: the mode counts for it too."""
    docker_site.path(CHECKPOINT).parent.chmod(0o555)
    session = docker_site.run()
    docker_site.path(CHECKPOINT).parent.chmod(0o755)
    check_blocked(session, "environment_blocked", WRITABLE, "mount_not_writable", kept=docker_site.kept)
    assert session.outcome("phase_3_readiness.exit_clean") == "blocked"
    assert not (session.run_dir / "container.log").exists(), "no training was started"


def test_an_output_directory_of_another_user(docker_site: Site) -> None:
    docker_site.objective["user"] = "12345:12345"
    check_blocked(docker_site.run(), "environment_blocked", WRITABLE, "mount_not_writable", kept=docker_site.kept)


def test_an_output_directory_on_a_read_only_file_system(site: Site, read_only: None) -> None:
    check_blocked(site.run(), "environment_blocked", WRITABLE, "mount_not_writable", kept=site.kept)


def test_a_gpu_that_the_engine_cannot_give(docker_site: Site) -> None:
    if shutil.which("nvidia-container-cli"):
        pytest.skip("this engine can give GPUs")
    docker_site.objective["gpus"] = "all"
    check_blocked(docker_site.run(), "environment_blocked", STARTED, "gpu_unavailable", kept=docker_site.kept)


@pytest.mark.parametrize(
    "copied",
    [
        pytest.param((b"#!/bin/sh\necho never\n", 0o644), id="not executable"),
        pytest.param((b"#!/bin/sh\r\necho never\r\n", 0o755), id="CRLF"),
        pytest.param(
            (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(100), 0o755),
            id="another processor's binary",
        ),
        pytest.param((b"", 0o755), id="missing"),
    ],
)
def test_an_entrypoint_that_cannot_be_executed(site: Site, copied: tuple[bytes, int]) -> None:
    content, mode = copied
    directory = site.workspace.parent / "context" if site.runtime == "docker" else site.path("job")
    directory.mkdir(exist_ok=True)
    (directory / "entry").write_bytes(content)
    (directory / "entry").chmod(mode)
    if not content:
        (directory / "entry").unlink()
        (directory / "other").touch()
    site.objective["command"] = ["/entry" if site.runtime == "docker" else str(directory / "entry")]
    session = site.run(dockerfile="FROM BASE\nCOPY * /")
    check_blocked(session, "runtime_blocked", STARTED, "entrypoint_not_executable", kept=site.kept)


def test_a_container_of_the_same_name_is_not_removed(docker_site: Site) -> None:
    process = start_acceptance(docker_site.workspace, *docker_site.arguments(dockerfile="FROM BASE\nRUN sleep 2"))
    name = f"voice-acceptance-{_run_id(docker_site)}"
    other = docker("create", "--name", name, docker_site.base or "", "/bin/true")
    try:
        session = collect(process)
        assert docker("inspect", "-f", "{{.Id}}", name) == other
    finally:
        docker("rm", "-f", other)
    assert session.decision == ("environment_blocked", STARTED, "container_name_taken"), session.stdout
    assert session.block["next_unblock_action"].endswith(": docker ps -a --filter name=voice-acceptance")


def test_what_a_dead_session_left_is_removed_and_what_a_live_one_runs_is_not(docker_site: Site) -> None:
    """The bystander fixture is the live one's container; another machine's cannot be judged from here.

    Every session removes what dead ones left, also one of another test beside this: then nothing is left for this one to tell, and it tries again.
    """
    remote = _left_by(docker_site, "remote-run", "another-machine:another-boot:1:1:1")
    try:
        for _ in range(5):
            dead = _left_by(docker_site, "dead-run", f"{current_owner().partition(':')[0]}:another-boot:1:1:1")
            session = docker_site.run()
            assert session.block["objective_status"] == "success", session.stdout
            left = docker("ps", "-aq", "--no-trunc")
            assert (dead in left, remote in left) == (False, True)
            assert not any("remote-run" in warning for warning in session.report["warnings"])
            if any("dead-run" in warning for warning in session.report["warnings"]):
                return
        pytest.fail("no session says that it removed the container")
    finally:
        docker("rm", "-f", remote)


def _left_by(site: Site, run_id: str, owner: str) -> str:
    """A container that a session of `owner` left running; its id."""
    labels = ("--label", f"{LABEL_RUN_ID}={run_id}", "--label", f"{LABEL_OWNER}={owner}")
    return docker("run", "-d", "--network", "none", *labels, site.base or "", "/bin/sleep", "600")


@pytest.fixture
def private_mounts() -> None:
    """Skips where no mount namespace can be made."""
    if (
        os.geteuid() != 0
        or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0
    ):
        pytest.skip("needs root and mount namespaces")


@pytest.fixture
def read_only(site: Site) -> Iterator[None]:
    """The checkpoint's directory is a read-only bind mount of itself, for the session and for the daemon."""
    directory = site.path(CHECKPOINT).parent
    if os.geteuid() != 0:
        pytest.skip("needs root to mount")
    if subprocess.run(["mount", "--bind", directory, directory], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine allows no bind mounts")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", directory], check=True)
        yield
    finally:
        subprocess.run(["umount", directory], check=False)


def _run_id(site: Site) -> str:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError):
            return os.readlink(site.path("artifacts/latest")).rpartition("/")[2]
        time.sleep(0.05)
    raise AssertionError("no run has started")
