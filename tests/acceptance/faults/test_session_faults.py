"""Faults around the session itself: a held lock, changed protected paths, a workspace that is full or cannot be written."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.record import workspace
from acceptance.report import block
from tests.acceptance.faults.site import AUDIO, Site, check_action, check_blocked
from tests.acceptance.harness import Session, run_acceptance


def test_a_second_session_on_the_same_workspace_is_refused_before_it_touches_anything(process_site: Site) -> None:
    held = workspace.lock(process_site.workspace)
    session = process_site.run()
    held.release()
    assert session.returncode == 4
    assert f"process {os.getpid()}" in session.stdout + session.stderr
    assert block.BEGIN not in session.stdout
    assert not process_site.path("artifacts/runs").exists()
    assert process_site.run().block["objective_status"] == "success"


def test_protected_paths_that_the_job_changes_and_creates(site: Site) -> None:
    protected = site.path("trainer/code.py")
    protected.parent.mkdir()
    protected.write_text("x = 1\n")
    site.objective |= {"mount": "workspace", "protected": ["trainer", ".git/hooks", "absent"]}
    change = 'echo "x = 2" >>"$VOICE_WORKSPACE/trainer/code.py"; mkdir -p "$VOICE_WORKSPACE/.git/hooks/pre-commit"'
    session = site.run(f"{change}\ngo")
    check_blocked(
        session, "train_failed", "phase_4_artifacts.protected_paths_unchanged", "protected_path_changed", kept=site.kept
    )
    assert session.report["failure"]["message"] == "the run changed trainer, .git/hooks"


def test_bytecode_that_the_job_plants_in_a_protected_path_is_removed_and_named(site: Site) -> None:
    cache = site.path("trainer/__pycache__")
    cache.mkdir(parents=True)
    (cache.parent / "code.py").write_text("x = 1\n")
    (cache / "code.cpython-311.pyc").write_bytes(b"as it was")
    site.objective |= {"mount": "workspace", "protected": ["trainer"]}
    plant = 'cd "$VOICE_WORKSPACE/trainer/__pycache__"; echo evil >code.cpython-311.pyc; echo evil >more.cpython-311.pyc; cd "$VOICE_WORKSPACE"'
    session = site.run(f"{plant}\ngo")
    assert session.outcome("phase_4_artifacts.protected_paths_unchanged") == "passed"
    named = "trainer/__pycache__/code.cpython-311.pyc, trainer/__pycache__/more.cpython-311.pyc"
    assert (
        f"removed bytecode that appeared beside protected sources while the job ran: {named}"
        in session.report["warnings"]
    )
    assert not list(cache.iterdir())


def test_a_disk_that_fills_while_the_report_is_written_still_gives_the_report_on_stdout(full_workspace: Site) -> None:
    filler = 'dd if=/dev/zero of="$VOICE_WORKSPACE/filler" bs=1000 count=100000 2>/dev/null'
    session = full_workspace.run(f"train() {{ marker train_started; {filler}; report blocked train; exit 1; }}\ngo")
    _check_told(session)
    assert session.block["root_cause_class"] == "train_failed"
    assert session.block["first_failed_step"] == "phase_3_readiness.exit_clean"


def test_a_workspace_without_a_free_byte_still_gives_the_report_on_stdout(full_workspace: Site) -> None:
    arguments = full_workspace.arguments()
    with full_workspace.path("filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    session = run_acceptance(full_workspace.workspace, *arguments)
    _check_told(session)
    if not session.run_dir.is_relative_to(full_workspace.workspace):
        shutil.rmtree(session.run_dir)
    assert session.block["root_cause_class"] == "environment_blocked"


def test_a_workspace_that_cannot_be_written_gives_the_report_and_says_where_it_lies(
    read_only_workspace: Site, tmp_path: Path
) -> None:
    site = read_only_workspace
    session = run_acceptance(site.workspace, "--objective", str(tmp_path / "fault.toml"))
    check_blocked(
        session, "environment_blocked", "phase_3_readiness.mount_writable", "mount_not_writable", kept=site.kept
    )
    assert not session.run_dir.is_relative_to(site.workspace)
    shutil.rmtree(session.run_dir)


def _check_told(session: Session) -> None:
    """The block is the last thing on stdout, whole, with an action."""
    assert session.returncode == 1, session.stdout + session.stderr
    assert session.stdout.splitlines()[-1] == block.END
    assert tuple(session.block) == block.KEYS
    check_action(session.block["next_unblock_action"], session.block["cause"])


@pytest.fixture
def read_only_workspace(process_site: Site) -> Iterator[Site]:
    """All of the workspace on a read-only mount."""
    process_site.arguments()
    directory = process_site.workspace
    if subprocess.run(["mount", "--bind", directory, directory], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root to mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", directory], check=True)
        yield process_site
    finally:
        subprocess.run(["umount", directory], check=False)


@pytest.fixture
def full_workspace(process_site: Site) -> Iterator[Site]:
    """The workspace on a disk of its own with 2 MB to spare; its recording and its earlier artifacts are there."""
    site, directory = process_site, process_site.workspace
    aside = directory.with_name("aside")
    directory.rename(aside)
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", directory], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("needs root to mount a small disk")
    subprocess.run(["cp", "-a", f"{aside}/.", directory], check=True)
    yield site
    left = {path: (path.exists() and path.stat().st_size) for path in site.kept}
    content = site.path(AUDIO).read_bytes()
    subprocess.run(["umount", directory], check=False)
    assert all(left.values())
    assert content == (Path(aside) / AUDIO).read_bytes()
