"""What a run certified stays: two good trainings leave two voices, whatever ends the session, and either can be put back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.voices import store
from tests.acceptance.harness import Session, environment
from tests.acceptance.kit import digest
from tests.acceptance.sessions.conftest import Bench
from trainer.files import checkpoint

CHECKPOINT = "out/checkpoints/voice.pt"


@pytest.fixture(scope="module")
def kits(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two deliveries that differ in their checkpoint."""
    second = tmp_path_factory.mktemp("second") / "kit"
    shutil.copytree(kit, second)
    document = {"format": "session-test/tiny", "model": {"weight": checkpoint.torch.arange(5.0)}}
    checkpoint.save(second / "checkpoint.pt", document)
    status = json.loads((kit / "status.json").read_text())
    status |= {
        "checkpoint_sha256": digest((second / "checkpoint.pt").read_bytes()),
        "content_sha256": checkpoint.content_sha256(document),
    }
    (second / "status.json").write_text(json.dumps(status))
    return kit, second


def train(bench: Bench, kit: Path) -> Session:
    session = bench.run("-q", "--set", f"env.KIT={kit}")
    assert session.block["objective_status"] == "success", session.stdout + session.stderr
    return session


def voice(bench: Bench, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "acceptance.cli", *words, "--workspace", str(bench.workspace)]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment(), capture_output=True, text=True, check=False)


def listed(bench: Bench) -> dict[str, dict]:
    return {row["sha256"]: row for row in json.loads(voice(bench, "versions", "--json").stdout)["versions"]}


def sha256(kit: Path) -> str:
    return digest((kit / "checkpoint.pt").read_bytes())


def test_two_good_trainings_leave_both_voices_and_the_first_can_be_put_back(
    bench: Bench, kits: tuple[Path, Path]
) -> None:
    first, second = (train(bench, kit) for kit in kits)
    one, two = map(sha256, kits)
    known = listed(bench)
    assert set(known) == {one, two}
    for session, name, kit in ((first, one, kits[0]), (second, two, kits[1])):
        assert (bench.workspace / f"artifacts/voices/{name}.pt").read_bytes() == (kit / "checkpoint.pt").read_bytes()
        document = json.loads((bench.workspace / f"artifacts/voices/{name}.json").read_text())
        assert document["run_id"] == session.run_id and document["report"] == dict(session.block)
        assert (
            document["recording"]["sha256"] == session.block["audio_sha256"]
            and document["losses"]["improvement"] == 0.75
        )
        assert len(document["manifest"]["sha256"]) == len(document["policy_sha256"]) == 64
    assert (known[one]["stands"], known[two]["stands"]) == (False, True)

    back = voice(bench, "rollback", one[:12])
    assert back.returncode == 0, back.stderr
    assert (bench.workspace / CHECKPOINT).read_bytes() == (kits[0] / "checkpoint.pt").read_bytes()
    assert f"{CHECKPOINT} is {one[:12]} now (run {first.run_id}); before: {two[:12]}, which is kept" in back.stdout
    assert [row["stands"] for row in (listed(bench)[one], listed(bench)[two])] == [True, False]

    third = train(bench, kits[1])
    assert third.outcome("phase_4_artifacts.bound_to_this_run") == "passed"
    stale = next(row for row in third.report["guardrails"] if row["step"].endswith("stale_files"))
    assert stale["outcome"] == "passed", "a voice that was put back is no stale file"
    assert set(listed(bench)) == {one, two}


def test_a_voice_that_was_certified_before_there_was_a_store_enters_it_with_the_next_success(
    bench: Bench, kits: tuple[Path, Path]
) -> None:
    first = train(bench, kits[0])
    shutil.rmtree(bench.workspace / store.VOICES)
    train(bench, kits[1])
    assert listed(bench)[sha256(kits[0])]["run_id"] == first.run_id
    assert len(listed(bench)) == 2
    shutil.rmtree(bench.workspace / store.VOICES)
    assert voice(bench, "keep", str(bench.workspace / CHECKPOINT)).returncode == 0
    assert set(listed(bench)) == {sha256(kits[1])}
    (bench.workspace / "own.pt").write_bytes(b"somebody's own")
    refused = voice(bench, "keep", str(bench.workspace / "own.pt"))
    assert refused.returncode == 2 and "[not_certified]" in refused.stderr


def test_a_full_disk_is_named_loses_nothing_and_leaves_no_half_version(bench: Bench, kits: tuple[Path, Path]) -> None:
    place = bench.workspace / store.VOICES
    train(bench, kits[0])
    shutil.rmtree(place)  # as an earlier harness would have left it
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(place)], check=False).returncode
    ):
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        (place / "full").write_bytes(b"x" * 14_000)
        second = train(bench, kits[1])
        assert "warning: the voice is good but NOT kept in artifacts/voices: " in second.stdout
        assert "no space left; free space on that file system" in second.stdout
        assert f"then keep it: voice keep {CHECKPOINT}" in second.stdout
        assert [path.name for path in place.iterdir()] == ["full"]
    finally:
        subprocess.run(["umount", str(place)], check=True)
    assert (bench.workspace / CHECKPOINT).read_bytes() == (kits[1] / "checkpoint.pt").read_bytes()
    assert (second.run_dir / "previous/checkpoint").read_bytes() == (kits[0] / "checkpoint.pt").read_bytes()


def test_a_session_killed_between_verdict_and_end_keeps_the_voice_with_the_next_one(
    bench: Bench, kits: tuple[Path, Path]
) -> None:
    killer = bench.workspace / "killer.py"
    killer.write_text(
        "import os, signal\nfrom acceptance.voices import settling\n"
        "def keep(*_, **__):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "settling.store.keep = keep\n"
    )
    extra = {"PYTHONPATH": str(bench.workspace)}
    killed = bench.run("-q", "-p", "killer", "--set", f"env.KIT={kits[0]}", env=extra)
    assert killed.returncode == -9
    assert not list((bench.workspace / "artifacts").glob("voices/*.pt"))
    bench.run("-q", env={"VOICE_ENV__TINY_MODE": "fail"})
    assert set(listed(bench)) == {sha256(kits[0])}
    assert (bench.workspace / CHECKPOINT).read_bytes() == (kits[0] / "checkpoint.pt").read_bytes()


def test_make_clean_keeps_the_voices_and_says_so(tmp_path: Path) -> None:
    shutil.copy(PROJECT_ROOT / "Makefile", tmp_path)
    for path in ("artifacts/voices/a.pt", "artifacts/runs/one/report.txt", "artifacts/.lock"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    for folder in ("acceptance", "trainer", "tests", "docker"):
        (tmp_path / folder).mkdir()
    done = subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "kept: artifacts/voices" in done.stdout
    assert [path.relative_to(tmp_path).as_posix() for path in (tmp_path / "artifacts").rglob("*")] == [
        "artifacts/voices",
        "artifacts/voices/a.pt",
    ]
    shutil.rmtree(tmp_path / "artifacts/voices")
    subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, check=True)
    assert not (tmp_path / "artifacts").exists()
