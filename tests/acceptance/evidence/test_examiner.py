"""Whatever a container wrote, the harness has an answer within a bound: the process that reads it is filled, killed or late instead."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.evidence import child, examination
from acceptance.evidence.child import ExaminationError, Examiner
from acceptance.evidence.examination import Allowance, Brief
from acceptance.objective import PROJECT_ROOT

GIB_IN_KIB = 2**20


@pytest.fixture
def brief(tmp_path: Path) -> Brief:
    return Brief(
        workspace=str(tmp_path), manifest=str(tmp_path / "manifest.json"), checkpoint=str(tmp_path / "voice.pt"),
        listening=str(tmp_path / "listening"), audio_bytes=10**6,
        max_checkpoint_bytes=2**30, backbone={"name": "vocoder"}, environment={}, seed=0, threads=1,
    )  # fmt: skip


@pytest.fixture
def examiner(brief: Brief) -> Iterator[Examiner]:
    with contextlib.closing(Examiner(brief)) as process:
        yield process


def peak_kib(pid: int) -> int:
    """Most memory that the program has held; ru_maxrss would hold what its parent, this process, had at its start."""
    return next(
        int(line.split()[1])
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )


def refused(examiner: Examiner, work: str) -> child.ExaminationFault:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with pytest.raises(ExaminationError) as caught:
        examiner.ask(work)
    if examiner._process is not None:  # a fault that ended it has no peak any more
        assert peak_kib(examiner._process.pid) < GIB_IN_KIB
    examiner.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10
    assert time.monotonic() - began < 60, "wall clock, beside busy neighbours"
    assert caught.value.failed.message.isprintable()
    return caught.value.failed


def zipped(pickled: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/version", b"3\n")
    return buffer.getvalue()


def test_a_checkpoint_that_asks_for_gigabytes_is_unsafe(examiner: Examiner, tmp_path: Path) -> None:
    size = b"\x8a\x08" + (6 * 2**30).to_bytes(8, "little")
    (tmp_path / "voice.pt").write_bytes(zipped(b"\x80\x02}X\x01\0\0\0xc__builtin__\nbytearray\n(" + size + b"tRs."))
    assert refused(examiner, "checkpoint").cause == "unsafe_pickle"


def test_a_format_of_ten_megabytes_is_one_short_line(examiner: Examiner, tmp_path: Path) -> None:
    text = "::error::\n\x1b[31m" + "x" * 10_000_000
    body = b"\x80\x02}X\x06\0\0\0formatX" + struct.pack("<I", len(text)) + text.encode() + b"s."
    (tmp_path / "voice.pt").write_bytes(zipped(body))
    form = examiner.ask("checkpoint")["format"]
    assert len(form) <= 80 and form.isprintable() and "::" not in form


@pytest.mark.parametrize("work", ["checkpoint", "manifest"])
def test_a_sparse_file_of_a_terabyte_is_refused_unread(work: str, examiner: Examiner, brief: Brief) -> None:
    with open({"checkpoint": brief.checkpoint, "manifest": brief.manifest}[work], "wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(2**40)
    assert "larger than" in refused(examiner, work).message


def manifest_of(directory: Path, clip_bytes: int, clips: int) -> None:
    """A valid manifest of clips that are holes."""
    from tests.acceptance.kit import RATE, digest
    from trainer.dataset import manifest as manifests

    entries = tuple(
        manifests.Entry(
            id=f"utt_{number}", path=f"clip_{number}.wav", sha256="0" * 64, start_s=float(number), end_s=number + 1.0, duration_s=1.0,
            sample_rate=RATE, transcript="", transcript_sha256=digest(b""), transcript_source="none", transcript_confidence=0.0,
            split="train" if number else "held_out", quality=manifests.Quality(snr_db=20.0, clipping=0.0, loudness_lufs=-23.0),
        )
        for number in range(clips)
    )  # fmt: skip
    source = manifests.Source(
        path="r.wav", bytes=1, sha256="0" * 64, duration_s=float(clips), sample_rate=RATE, channels=1
    )
    found = manifests.Manifest(
        preparation=manifests.Preparation(key="0" * 64, settings={}),
        source=source,
        transcript=None,
        entries=entries,
        dropped=(),
    )
    for entry in entries:
        with (directory / entry.path).open("wb") as file:
            file.truncate(clip_bytes)
    (directory / "manifest.json").write_bytes(manifests.dumps(found))


def test_a_clip_of_two_terabytes_is_refused_unread(examiner: Examiner, tmp_path: Path) -> None:
    manifest_of(tmp_path, 2**41, 2)
    assert "larger than" in refused(examiner, "manifest").message


def test_all_clips_together_are_bounded(tmp_path: Path) -> None:
    from trainer.dataset import manifest as manifests
    from trainer.errors import DataError

    manifest_of(tmp_path, 1000, 3)
    found = manifests.load(tmp_path / "manifest.json")
    object.__setattr__(found, "entries", tuple(_with_sha256(entry) for entry in found.entries))
    manifests.verify_clips(found, tmp_path, max_bytes=3000)
    with pytest.raises(DataError, match="larger than 2999 bytes"):
        manifests.verify_clips(found, tmp_path, max_bytes=2999)


def _with_sha256(entry: object) -> object:
    import hashlib

    object.__setattr__(entry, "sha256", hashlib.sha256(bytes(1000)).hexdigest())
    return entry


def test_a_manifest_of_millions_of_keys_is_refused(examiner: Examiner, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{" + ",".join(f'"{number:x}":0' for number in range(1_500_000)) + "}")
    assert refused(examiner, "manifest").kind == "data"


def test_a_key_of_megabytes_is_named_in_80_letters(examiner: Examiner, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        '{"schema": "voice_dataset/2", "summary": {}, "' + "k" * 5_000_000 + '": 1}'
    )
    assert len(refused(examiner, "manifest").message) < 500


@pytest.mark.long
@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
        ("print('{' * 1000)", "nonsense"),
        ("print('[1]')", "nonsense"),
        ("import json; print(json.dumps({'work': 'checkpoint', 'found': {'bytes': -1}}))", "nonsense"),
        ("import sys; sys.stdout.write('x' * 10_000_000)", "nonsense"),
        ("import time; time.sleep(60)", "takes more than"),
        ("", "exit status 0"),
    ],
    ids=["killed", "broken", "another form", "another value", "without end", "silent", "gone"],
)
def test_death_nonsense_and_silence_of_the_process_are_answers(
    program: str, message: str, examiner: Examiner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = f"import sys; sys.stdin.readline(); sys.stdin.readline(); {program}"
    start = subprocess.Popen
    monkeypatch.setattr(child, "allowance", lambda *_: Allowance(memory_bytes=0, cpu_seconds=1, wall_seconds=3.0))
    monkeypatch.setattr(
        child.subprocess, "Popen", lambda _command, **options: start([sys.executable, "-c", script], **options)
    )
    failed = refused(examiner, "checkpoint")
    assert failed.kind == "limit" and message in failed.message


def test_work_that_ended_the_process_costs_only_itself(examiner: Examiner, tmp_path: Path) -> None:
    examiner.begin("manifest")
    os.kill(examiner._process.pid, signal.SIGKILL)
    (tmp_path / "voice.pt").write_bytes(zipped(b"\x80\x02}."))
    assert examiner.ask("checkpoint")["bytes"] > 0


def test_memory_and_time_beyond_the_allowance_end_the_work_and_not_the_harness(tmp_path: Path) -> None:
    program = (
        "from acceptance.evidence import limits\nlimits.confine()\nlimits.allow(memory_bytes=2**28, cpu_seconds=1)\n"
    )
    for more, ended in (
        ("bytearray(2**30)", 1),
        ("while True: pass", -signal.SIGPROF),
        ("open('f', 'wb').write(bytes(2**21))", 1),
    ):
        found = subprocess.run(
            [sys.executable, "-c", program + more], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
            capture_output=True, check=False,
        )  # fmt: skip
        assert found.returncode == ended, (more, found.stderr)
    assert (tmp_path / "f").stat().st_size <= 2**20


def test_what_earlier_work_took_counts_against_no_later_one(tmp_path: Path) -> None:
    program = (
        "import time\nfrom acceptance.evidence import limits\nticks = lambda: time.clock_gettime(-8)\n"  # what the kernel counts: CPUCLOCK_PROF
        "for _ in range(3):\n    limits.allow(memory_bytes=2**28, cpu_seconds=1)\n    began = ticks()\n"
        "    while ticks() - began < 0.7: pass\n"
        "time.sleep(1)\n"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}, check=True
    )


def test_the_process_ends_with_the_harness(brief: Brief, tmp_path: Path) -> None:
    program = (
        "import json, os, signal, sys\nfrom acceptance.evidence.child import Examiner\nfrom acceptance.evidence.examination import Brief\n"
        "examiner = Examiner(Brief(**json.loads(sys.argv[1])))\n"
        "try:\n    examiner.ask('checkpoint')\nexcept Exception:\n    pass\n"
        "print(examiner._process.pid, flush=True)\nexaminer.begin('start')\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, json.dumps(brief.as_dict())],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    pid, give_up = int(ended.stdout), time.monotonic() + 20
    while (
        Path(f"/proc/{pid}/stat").exists()
        and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    ):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_what_is_no_number_of_the_proof_is_no_answer(brief: Brief) -> None:
    line = json.dumps({"work": "losses", "found": {"heldout_loss_start": True}}).encode()
    with pytest.raises(child._Ended):
        child._checked(line, "losses")
    assert examination.allowance("losses", brief).wall_seconds > 0
