"""The store of certified voices: whole or absent, never changed from outside, found by the start of a hash."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acceptance.failure import HarnessError
from acceptance.voices import store
from acceptance.voices.certificate import SCHEMA
from trainer.errors import TrainingError

ROOT = Path(__file__).resolve().parents[3]


def report(sha256: str, *, certified: str = "2026-01-02T03:04:05Z") -> dict[str, object]:
    return {
        "schema": SCHEMA, "run_id": "run", "certified": certified, "objective": "tiny", "checkpoint": {"path": "out/voice.pt", "sha256": sha256},
        "recording": {}, "manifest": {}, "losses": {}, "report": {},
    }  # fmt: skip


def write(path: Path, data: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def keep(workspace: Path, data: bytes, **options: str) -> str:
    sha256 = write(workspace / "out/voice.pt", data)
    store.keep(workspace, workspace / "out/voice.pt", report(sha256, **options))
    return sha256


def test_a_kept_voice_stays_when_its_original_is_rewritten_in_place(tmp_path: Path) -> None:
    sha256 = keep(tmp_path, b"voice")
    with (tmp_path / "out/voice.pt").open("r+b") as file:
        file.write(b"other")
    assert store.checkpoint_path(tmp_path, sha256).read_bytes() == b"voice"
    assert store.holds(tmp_path, sha256)


def test_keeping_twice_changes_nothing(tmp_path: Path) -> None:
    sha256 = keep(tmp_path, b"voice")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / store.VOICES).iterdir()}
    keep(tmp_path, b"voice", certified="2027-01-01T00:00:00Z")
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / store.VOICES).iterdir()} == before
    assert sorted(before) == [f"{sha256}.json", f"{sha256}.pt"]


def test_a_file_that_is_not_the_certified_one_is_not_kept(tmp_path: Path) -> None:
    write(tmp_path / "out/voice.pt", b"changed meanwhile")
    with pytest.raises(HarnessError) as refused:
        store.keep(tmp_path, tmp_path / "out/voice.pt", report("0" * 64))
    assert refused.value.cause == "artifact_mismatch"
    assert list((tmp_path / store.VOICES).iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.write_bytes(b"flipped"), "its checkpoint is another or damaged"),
        (lambda path: path.unlink(), "its checkpoint is gone"),
        (lambda path: path.with_suffix(".json").unlink(), "its report is missing"),
        (lambda path: path.with_suffix(".json").write_text('{"schema": NaN}'), "its report does not hold"),
        (
            lambda path: path.with_suffix(".json").write_text(json.dumps(report("0" * 64))),
            "it is the report of another checkpoint",
        ),
    ],
)
def test_a_damaged_version_is_named_and_keeping_it_again_mends_it(tmp_path: Path, damage, problem: str) -> None:
    sha256 = keep(tmp_path, b"voice")
    damage(store.checkpoint_path(tmp_path, sha256))
    (found,) = store.listing(tmp_path)
    assert found.sha256 == sha256 and problem in (found.problem or "")
    with pytest.raises(HarnessError, match="voice prune"):
        store.named(tmp_path, Path(sha256[:12]))
    keep(tmp_path, b"voice")
    assert store.holds(tmp_path, sha256)


def test_a_version_is_found_by_the_start_of_its_hash(tmp_path: Path) -> None:
    known = [keep(tmp_path, f"voice {number}".encode()) for number in range(3)]
    assert store.named(tmp_path, Path(known[1][:8])) == store.checkpoint_path(tmp_path, known[1])
    assert store.named(tmp_path, Path("other.pt")) == Path("other.pt")
    for name, cause in (("", "version_unknown"), ("0" * 12, "version_unknown"), (known[0][:3], "version_unknown")):
        with pytest.raises(HarnessError) as refused:
            store.find(tmp_path, name)
        assert refused.value.cause == cause


def test_the_start_of_two_hashes_names_neither(tmp_path: Path) -> None:
    for sha256 in ("abcd" + "0" * 60, "abcd" + "1" * 60):
        write(tmp_path / store.VOICES / f"{sha256}.pt", b"damaged, but listed")
    with pytest.raises(HarnessError) as refused:
        store.find(tmp_path, "abcd")
    assert refused.value.cause == "version_ambiguous"


def test_a_full_disk_leaves_nothing_half_written_and_says_so(tmp_path: Path) -> None:
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)], check=False).returncode
    ):
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        original = tmp_path.with_name(f"{tmp_path.name}-voice.pt")
        sha256 = write(original, os.urandom(200_000))
        with pytest.raises(TrainingError) as refused:
            store.keep(tmp_path, original, report(sha256))
        assert refused.value.cause == "disk_full" and "free space" in str(refused.value)
        assert list((tmp_path / store.VOICES).iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.long
def test_no_kill_leaves_a_half_version_that_counts(tmp_path: Path) -> None:
    data = os.urandom(24 * 2**20)
    sha256 = write(tmp_path / "out/voice.pt", data)
    (tmp_path / "report.json").write_text(json.dumps(report(sha256)))
    code = (
        "import json, sys; from pathlib import Path; from acceptance.voices import store; print('ready', flush=True);"
        "store.keep(Path('.'), Path('out/voice.pt'), json.loads(Path('report.json').read_text())); print('kept', flush=True)"
    )
    outcomes, began = set(), time.monotonic()
    store.keep(tmp_path, tmp_path / "out/voice.pt", report(sha256))
    whole = time.monotonic() - began
    for version in store.listing(tmp_path):
        store.remove(version)
    for delay in [whole * share for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 2.0, 6.0)]:
        with subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        ) as job:
            assert job.stdout.readline() == "ready\n"
            time.sleep(delay)
            job.send_signal(signal.SIGKILL)
            told = job.stdout.read() == "kept\n"
        found = {version.sha256: version.problem for version in store.listing(tmp_path)}
        outcomes.add((told, found.get(sha256, "absent")))
        path = store.checkpoint_path(tmp_path, sha256)
        assert not path.exists() or path.read_bytes() == data
        assert not told or found == {sha256: None}
        store.keep(tmp_path, tmp_path / "out/voice.pt", report(sha256))
        assert sorted(path.name for path in (tmp_path / store.VOICES).iterdir()) == [f"{sha256}.json", f"{sha256}.pt"]
        for path in (tmp_path / store.VOICES).iterdir():
            path.unlink()
    assert {outcome for _, outcome in outcomes} <= {"absent", None, "its report is missing"} and len(outcomes) > 1
