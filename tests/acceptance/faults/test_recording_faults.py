"""The recording cannot be used: data_blocked by its own cause, at the first step that can know it, without ever blocking on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.acceptance.faults.site import AUDIO, OUTPUTS, Site, check_blocked, digest
from tests.acceptance.harness import Session, collect, run_acceptance, start_acceptance

EXISTS, SIZE, POINTER, DECODES = (
    f"phase_1_preflight.audio_{name}" for name in ("exists", "size", "not_lfs_pointer", "decodes")
)
DEFAULT = Path("data/knowledge_audio_source/auntie_dottie.flac")
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 73741823\n"


def _session(workspace: Path, *arguments: str) -> Session:
    """The default objective without an engine."""
    return run_acceptance(workspace, "--runtime", "process", *arguments)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Where the default objective expects the recording; nothing is there yet."""
    path = tmp_path / "workspace" / DEFAULT
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    ("content", "step", "cause"),
    [
        pytest.param(None, EXISTS, "audio_missing", id="missing"),
        pytest.param(b"", SIZE, "audio_too_small", id="empty"),
        pytest.param(b"RIFF" + bytes(4_999_996), SIZE, "audio_too_small", id="exactly 5,000,000 bytes"),
        pytest.param(b"RIFF" + bytes(4_999_997), DECODES, "audio_undecodable", id="5,000,001 bytes that are no audio"),
        pytest.param(LFS, SIZE, "lfs_pointer", id="LFS pointer"),
        pytest.param(LFS + b"\n" * 5_000_000, POINTER, "lfs_pointer", id="LFS pointer padded"),
        pytest.param(b"\xef\xbb\xbf" + LFS.replace(b"\n", b"\r\n"), SIZE, "lfs_pointer", id="LFS pointer with BOM and CRLF"),
        pytest.param(
            b"\xef\xbb\xbf" + LFS.replace(b"\n", b"\r\n") + b" " * 5_000_000, POINTER, "lfs_pointer", id="LFS pointer padded with BOM and CRLF"
        ),
    ],
)  # fmt: skip
def test_what_is_no_recording_of_more_than_5_million_bytes(
    recording: Path, content: bytes | None, step: str, cause: str
) -> None:
    if content is not None:
        recording.write_bytes(content)
    session = _session(recording.parents[2])
    kept = {recording: digest(recording)}
    check_blocked(session, "data_blocked", step, cause, kept=kept)
    assert session.outcome("phase_2_build.image_built") == "passed"
    assert session.outcome("phase_3_readiness.container_started") == "blocked"
    if cause == "lfs_pointer":
        assert session.report["failure"]["evidence"]["lfs_oid"] == "4d7a" * 16


def test_one_byte_more_than_the_minimum_is_enough(recording: Path) -> None:
    recording.write_bytes(bytes(5_000_001))
    assert _session(recording.parents[2], "-k", "audio_size").report["steps"][1]["outcome"] == "passed"


def _directory(path: Path) -> None:
    path.mkdir()


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link_outside(path: Path) -> None:
    outside = path.parents[3] / "outside.flac"
    outside.write_bytes(bytes(5_000_001))
    path.symlink_to(outside)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.flac")


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (_directory, "audio_not_regular"), (_fifo, "audio_not_regular"), (_link_outside, "audio_not_regular"),
        (_loop, "audio_not_regular"), (_dangling, "audio_missing"),
    ],
)  # fmt: skip
def test_what_is_no_regular_file_inside_the_workspace(
    recording: Path, make: Callable[[Path], None], cause: str
) -> None:
    make(recording)
    session = _session(recording.parents[2])
    check_blocked(session, "data_blocked", EXISTS, cause, kept={})
    assert session.block["audio_sha256"] == "N/A"


def test_a_recording_that_this_user_may_not_read(process_site: Site, as_nobody: tuple[str, ...]) -> None:
    arguments = process_site.arguments()
    process_site.give_to_nobody()
    process_site.path(AUDIO).chmod(0)
    session = run_acceptance(process_site.workspace, *arguments, env={"HOME": "/nonexistent"}, prefix=as_nobody)
    check_blocked(session, "data_blocked", EXISTS, "audio_unreadable", kept=process_site.kept)


@pytest.fixture(scope="session")
def long_flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FLAC of noise, more than 5,000,000 bytes."""
    path = tmp_path_factory.mktemp("noise") / "noise.flac"
    noise = np.random.default_rng(1).integers(-20_000, 20_000, 16_000 * 180).astype(np.int16)
    soundfile.write(path, noise, 16_000)
    assert path.stat().st_size > 5_100_000
    return path


def test_a_truncated_flac_is_told_from_a_damaged_one(recording: Path, long_flac: Path) -> None:
    recording.write_bytes(long_flac.read_bytes()[:5_050_000])
    session = _session(recording.parents[2])
    check_blocked(session, "data_blocked", DECODES, "audio_truncated", kept={recording: digest(recording)})
    assert str(recording.parents[2]) not in session.block_text


def test_a_flac_with_a_flipped_bit_is_undecodable(recording: Path, long_flac: Path) -> None:
    content = bytearray(long_flac.read_bytes())
    content[len(content) // 2] ^= 0x10
    recording.write_bytes(content)
    check_blocked(
        _session(recording.parents[2]),
        "data_blocked",
        DECODES,
        "audio_undecodable",
        kept={recording: digest(recording)},
    )


def test_a_recording_longer_than_the_limit_is_not_decoded_to_its_end(recording: Path, long_flac: Path) -> None:
    shutil.copyfile(long_flac, recording)
    session = _session(recording.parents[2], "--set", "max_audio_hours=0.01")
    check_blocked(session, "data_blocked", DECODES, "audio_too_long", kept={recording: digest(recording)})


def test_ten_minutes_of_silence_hold_no_usable_speech(recording: Path) -> None:
    soundfile.write(recording, np.zeros(8_000 * 600, np.int16), 8_000, format="WAV", subtype="PCM_16")
    session = _session(recording.parents[2])
    check_blocked(
        session, "data_blocked", "phase_3_readiness.exit_clean", "no_usable_speech", kept={recording: digest(recording)}
    )
    assert session.outcome("phase_3_readiness.train_report_emitted") == "passed"
    assert session.outcome("phase_4_artifacts.manifest_valid") == "blocked"


def test_a_tenth_of_a_second_is_too_little(recording: Path, process_site: Site) -> None:
    samples, rate = soundfile.read(process_site.path(AUDIO), frames=100_000, dtype="int16")
    soundfile.write(recording, samples[rate : rate + rate // 10], rate, format="FLAC")
    session = _session(recording.parents[2], "--set", "min_audio_bytes=100")
    check_blocked(
        session, "data_blocked", "phase_3_readiness.exit_clean", "no_usable_speech", kept={recording: digest(recording)}
    )


def test_a_recording_that_the_job_rewrites_is_noticed(process_site: Site) -> None:
    """Only the process runtime and a writable mount allow it; the digests before and after are reported."""
    session = process_site.run('train() { printf x >>"$VOICE_SOURCE_AUDIO"; marker train_started; }\ngo')
    kept = {process_site.path(path): process_site.kept[process_site.path(path)] for path in OUTPUTS}
    check_blocked(session, "data_blocked", "phase_4_artifacts.bound_to_this_run", "audio_changed_during_run", kept=kept)
    evidence = session.report["failure"]["evidence"]
    assert evidence["before"] == process_site.kept[process_site.path(AUDIO)] != evidence["after"]


def test_a_recording_that_somebody_rewrites_while_a_container_reads_it_is_noticed(docker_site: Site) -> None:
    arguments = docker_site.arguments(
        'train() { marker train_started; while [ ! -e "$job/go" ]; do sleep 0.1; done; }\ngo'
    )
    process = start_acceptance(docker_site.workspace, *arguments)
    give_up = time.monotonic() + 30
    markers = docker_site.path("out/status/phase_markers.log")
    while "train_started" not in (markers.read_text() if markers.exists() else "") and time.monotonic() < give_up:
        time.sleep(0.05)
    with docker_site.path(AUDIO).open("ab") as file:
        file.write(b"x")
    docker_site.path("job/go").touch()
    session = collect(process)
    assert session.decision == ("data_blocked", "phase_4_artifacts.bound_to_this_run", "audio_changed_during_run"), (
        session.stdout
    )


def test_a_container_can_write_nothing_but_its_outputs(docker_site: Site) -> None:
    docker_site.path("trainer").mkdir()
    docker_site.objective["protected"] = ["trainer"]
    # Without stderr: its lines arrive by another way and may fall into these.
    refused = '(echo x >>"$VOICE_SOURCE_AUDIO") 2>/dev/null || echo refused 1; touch "$VOICE_WORKSPACE/trainer/new" 2>/dev/null || echo refused 2'
    session = docker_site.run(f"{refused}\ngo")
    assert session.block["objective_status"] == "success", session.stdout
    assert {"refused 1", "refused 2"} <= set(session.log().splitlines())
    assert digest(docker_site.path(AUDIO)) == docker_site.kept[docker_site.path(AUDIO)]


def test_a_fifo_in_place_of_the_recording_never_blocks_a_waiting_writer(recording: Path) -> None:
    os.mkfifo(recording)
    writer = threading.Thread(
        target=lambda: subprocess.run(["timeout", "5", "sh", "-c", f"echo > '{recording}'"], check=False)
    )
    writer.start()
    session = _session(recording.parents[2])
    writer.join()
    assert session.decision == ("data_blocked", EXISTS, "audio_not_regular")
