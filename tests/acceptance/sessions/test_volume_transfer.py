"""An engine that shares no folder with the session: inputs go there and outputs come back through volumes, and nothing else does."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.engines import docker
from tests.acceptance.harness import Session, collect, start_acceptance
from tests.acceptance.sessions.conftest import OUTPUTS, Bench, wait_for
from tests.acceptance.tiny_trainer_image import tiny_trainer_image

pytestmark = pytest.mark.engine

STATE = "out/status/train_state.pt"


@pytest.fixture(scope="module")
def image(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Options of a session whose image has the tiny trainer in it."""
    with tiny_trainer_image(kit, tmp_path_factory.mktemp("context")) as options:
        yield "-q", *options


VOLUME = ("--set", "transfer=volume")


def job(script: str) -> tuple[str, ...]:
    """The tiny trainer after `script`; its functions may be replaced there."""
    return (*VOLUME, "--set", f"command=/bin/sh -c '. /job/job.sh\n{script}'")


def left_of(bench: Bench) -> str:
    """Names of what the engine still has of any run of this workspace."""
    runs = [path.name for path in (bench.workspace / "artifacts/runs").iterdir()]
    assert runs
    labels = [f"label=voice-acceptance.run-id={run}" for run in runs]
    return "".join(
        docker("ps", "-aq", "--filter", label) + docker("volume", "ls", "-q", "--filter", label) for label in labels
    )


def wait_until_watched(bench: Bench) -> None:
    """Wait until the job trains and the session watches it."""
    journal, log = (bench.workspace / "artifacts/latest" / name for name in ("events.jsonl", "container.log"))
    watching = b'"event": "step_started", "step": "phase_3_readiness.train_report_emitted"'
    wait_for(lambda: journal.is_file() and watching in journal.read_bytes())
    wait_for(lambda: b"PROGRESS" in log.read_bytes())


def files_of(bench: Bench) -> dict[str, bytes]:
    return {
        str(path.relative_to(bench.workspace)): path.read_bytes()
        for path in sorted(bench.workspace.rglob("*"))
        if path.is_file() and "artifacts" not in path.parts
    }


def test_the_block_is_that_of_a_session_with_shared_folders(
    make_bench: Callable[..., Bench], image: tuple[str, ...]
) -> None:
    bound, copied = make_bench("bound"), make_bench("copied")
    (copied.workspace / "data/Recording.txt").write_text("what is said\n")
    (bound.workspace / "data/Recording.txt").write_text("what is said\n")
    (copied.workspace / "secret.txt").write_text("not of this job\n")
    sessions: list[Session] = [bound.run(*image), copied.run(*image, *VOLUME)]
    assert [session.returncode for session in sessions] == [0, 0], sessions[1].stdout[-4000:]
    assert sessions[0].block_text == sessions[1].block_text
    assert [session.report["runtime"]["transfer"] for session in sessions] == ["shared folders", "volume"]
    variable = ("out/status/train_status.json", "out/status/phase_markers.log", "secret.txt")  # run id and time
    files = [
        {name: data for name, data in files_of(bench).items() if name not in variable} for bench in (bound, copied)
    ]
    assert files[0] == files[1]
    assert left_of(copied) == ""


def test_the_job_sees_its_inputs_and_nothing_else_and_writes_only_its_outputs(
    bench: Bench, image: tuple[str, ...]
) -> None:
    (bench.workspace / "data/recording.txt").write_text("said\n")
    (bench.workspace / "data/other.wav").write_text("of another voice")
    (bench.workspace / ".git").mkdir()
    (bench.workspace / "more").mkdir()
    (bench.workspace / "more/words.csv").write_text("protected\n")
    look = 'cd "$VOICE_WORKSPACE"; ls -a . data more artifacts; touch data/x; touch out/x; go'
    session = bench.run(*image, *job(look), "--set", "protected=more")
    assert session.returncode == 0, session.stdout[-4000:]
    log = (session.run_dir / "container.log").read_text().splitlines()
    assert {"recording.wav", "recording.txt", "words.csv"} <= set(log)
    assert not {"other.wav", ".git"} & set(log)
    assert sum("Read-only file system" in line for line in log) == 2
    assert any("artifacts: No such file" in line for line in log)


# Every kind is refused in tests/acceptance/runtimes/docker/test_archive.py; these are archives that a real engine makes.
HOSTILE = {
    "link to a folder": ("ln -s / out/status/sub; echo", "out/status/sub: it is a symbolic link"),
    "second name": ("ln out/checkpoints/voice.pt out/checkpoints/w.pt", "it is a second name of another file"),
    "huge": ("dd if=/dev/zero of=out/checkpoints/huge bs=1 count=1 seek=1000000000000", "out/checkpoints/huge: with it"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_outputs_that_are_no_plain_files_are_refused_by_name_and_none_is_written(
    name: str, make_bench: Callable[..., Bench], image: tuple[str, ...]
) -> None:
    bench, (script, message) = make_bench(f"hostile-{name.replace(' ', '-')}"), HOSTILE[name]
    bench.plant_outputs()
    before = files_of(bench)
    session = bench.run(*image, *job(f'put_status() {{ (cd "$VOICE_WORKSPACE"; {script}); }}; go'))
    assert session.returncode == 1
    assert session.block["cause"] == "output_refused", session.stdout[-4000:]
    assert message in json.dumps(session.report["failure"])
    assert files_of(bench) == before
    assert not list(session.run_dir.glob("returning-*"))
    assert left_of(bench) == ""


def test_a_link_among_the_inputs_is_refused_by_name(bench: Bench, image: tuple[str, ...]) -> None:
    (bench.workspace / "data/recording.txt").symlink_to("/etc/passwd")
    session = bench.run(*image, *VOLUME)
    assert session.block["cause"] == "input_not_sendable", session.stdout[-4000:]
    assert "data/recording.txt" in json.dumps(session.report["failure"])
    assert left_of(bench) == ""


def test_an_interrupted_job_hands_its_state_back_and_the_next_one_gets_it(bench: Bench, image: tuple[str, ...]) -> None:
    hang = (
        'train() { marker train_started; echo PROGRESS 1 2 loss=1; '
        'trap "echo half > ${TRAIN_STATUS_PATH%/*}/train_state.pt; exit 143" TERM; while :; do sleep 0.1; done; }; go'
    )  # fmt: skip
    process = bench.start(*image, *job(hang))
    wait_until_watched(bench)
    process.send_signal(signal.SIGINT)
    assert collect(process).returncode == 2
    assert (bench.workspace / STATE).read_text() == "half\n"
    assert left_of(bench) == ""
    resume = 'state="${TRAIN_STATUS_PATH%/*}/train_state.pt"; cat "$state"; rm "$state"; go'
    session = bench.run(*image, *job(resume))
    assert session.returncode == 0, session.stdout[-4000:]
    assert (session.run_dir / "container.log").read_text().startswith("half\n")
    assert not (bench.workspace / STATE).exists()


def test_an_engine_that_does_not_see_the_workspace_gets_it_through_volumes(
    bench: Bench, image: tuple[str, ...]
) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare to hide a workspace from the engine")
    hidden = bench.workspace / "hidden"
    hidden.mkdir()
    hide = f"mount -t tmpfs none {hidden} && cp -r {bench.workspace}/data {hidden}/w && mkdir {hidden}/w/data && "
    hide += f'mv {hidden}/w/*.wav {hidden}/w/data/ && "$0" "$@" && cp -r {hidden}/w/out {bench.workspace}'
    options = ("--objective", str(bench.objective), *image)
    prefix = ("unshare", "--mount", "--propagation", "private", "sh", "-c", hide)
    bound = start_acceptance(hidden / "w", *options, "--set", "transfer=bind", prefix=prefix)
    assert collect(bound).block["cause"] == "mount_source_missing"
    session = collect(start_acceptance(hidden / "w", *options, prefix=prefix))
    assert session.returncode == 0, session.stdout[-4000:]
    assert set(bench.outputs()) == set(OUTPUTS)


def test_what_a_killed_session_left_on_the_engine_is_removed_by_the_next(bench: Bench, image: tuple[str, ...]) -> None:
    before = bench.plant_outputs()
    process = bench.start(*image, *VOLUME, "--set", "env.TINY_MODE=hang")
    wait_until_watched(bench)
    process.kill()
    process.communicate()
    run_id = (bench.workspace / "artifacts/latest").resolve().name
    label = f"label=voice-acceptance.run-id={run_id}"
    assert len(docker("volume", "ls", "-q", "--filter", label).split()) == 4
    (bench.workspace / f"artifacts/runs/{run_id}/returning-half").mkdir()
    session = bench.run(*image, *job("exit 30"))
    assert session.block["cause"] == "trainer_exit_nonzero", session.stdout[-4000:]
    assert left_of(bench) == "" and not list((bench.workspace / "artifacts/runs").rglob("returning-*"))
    # Any session on this engine may have been the next: whichever it was, nothing is left (its warning: test_interruption).
    assert bench.outputs() == before


def test_outputs_that_the_job_left_alone_are_stale(bench: Bench, image: tuple[str, ...]) -> None:
    assert bench.run(*image, *VOLUME).returncode == 0
    session = bench.run(*image, *job("start; marker data_ok; train; marker saved; report success none"))
    assert session.block["cause"] == "stale_artifact", session.stdout[-4000:]
