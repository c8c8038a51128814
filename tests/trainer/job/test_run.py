"""The container's entry, mostly as a real process: markers, status, exit codes, kills and resumption."""

import io
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from trainer.audio import recording
from trainer.backbones.vocoder import evaluation, training
from trainer.files import checkpoint, plain_file, strict_json, tensor_archive
from trainer.job.run import run
from trainer.models.vocoder.copy_synthesis import batch_loss

pytestmark = pytest.mark.training

NAMES = ["import_ok", "model_ok", "data_ok", "train_started", "saved"]


def status_of(environ) -> dict:
    return strict_json.loads(Path(environ["TRAIN_STATUS_PATH"]).read_bytes())


def markers_of(environ) -> list[str]:
    return Path(environ["TRAIN_STATUS_PATH"]).with_name("phase_markers.log").read_text().splitlines()


def state_of(environ) -> Path:
    return Path(environ["TRAIN_STATUS_PATH"]).with_name("train_state.pt")


def checkpoint_of(environ) -> bytes:
    return Path(environ["CHECKPOINT_PATH"]).read_bytes()


def execute(command, environ) -> subprocess.CompletedProcess:
    """The job in a process of its own."""
    return subprocess.run([*command, "run"], env=environ, capture_output=True, text=True, timeout=200, check=False)


def execute_here(environ) -> tuple[int, str]:
    """The job in this process: (exit code, stdout)."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stdout = io.StringIO()
    try:
        return run(environ, stdout), stdout.getvalue()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def start_until(command, environ, line: str) -> subprocess.Popen:
    """Start the job and return once it has printed a line beginning with `line`."""
    job = subprocess.Popen([*command, "run"], env=environ, stdout=subprocess.PIPE, text=True)
    for text in job.stdout:
        if text.startswith(line):
            return job
    raise AssertionError(f"the job ended without {line!r}")


@pytest.fixture(scope="module")
def whole(trainer_command, job_environment, tmp_path_factory):
    """(environment, result) of one uninterrupted run; not to be changed."""
    environ = job_environment(tmp_path_factory.mktemp("whole"))
    result = execute(trainer_command, environ)
    assert result.returncode == 0, result.stdout + result.stderr
    return environ, result


def test_a_whole_run_reaches_every_marker_and_its_files_vouch_for_each_other(whole):
    environ, result = whole
    assert markers_of(environ) == ["run_id run-1", *NAMES]
    assert [line for line in result.stdout.splitlines() if line in NAMES] == NAMES
    assert "PROGRESS 8 8 loss=" in result.stdout
    for name in ("MANIFEST_PATH", "CHECKPOINT_PATH", "TRAIN_STATUS_PATH"):
        assert f"ARTIFACT {environ[name]}" in result.stdout
    status, path = status_of(environ), Path(environ["CHECKPOINT_PATH"])
    assert (status["status"], status["run_id"], status["step"], status["steps_total"]) == (
        "completed",
        "run-1",
        8,
        8,
    )
    assert status["checkpoint_sha256"] == plain_file.sha256(path)
    assert status["manifest_sha256"] == plain_file.sha256(Path(environ["MANIFEST_PATH"]))
    assert status["audio_sha256"] == plain_file.sha256(Path(environ["VOICE_SOURCE_AUDIO"]))
    document = checkpoint.load(path)
    assert status["content_sha256"] == checkpoint.content_sha256(document)
    assert document["training"]["manifest_sha256"] == status["manifest_sha256"]
    assert not state_of(environ).exists()


def test_the_claimed_losses_can_be_measured_again_from_the_files(whole):
    environ, _ = whole
    paths = Path(environ["CHECKPOINT_PATH"]), Path(environ["MANIFEST_PATH"])
    measured = evaluation.remeasure(*paths, seed=3, heldout_seconds=6.0, threads=2)
    learning = status_of(environ)["learning"]
    assert measured["heldout_seconds"] > 0
    del measured["heldout_seconds"]  # only the host counts it
    # The improvements are small differences here; the losses themselves agree to 1e-4.
    assert measured == pytest.approx({name: learning[name] for name in measured}, rel=1e-4, abs=1e-5)


def test_another_run_id_directory_and_file_name_give_the_same_checkpoint(whole, job_environment, tmp_path):
    other = job_environment(tmp_path, RUN_ID="run-2", CHECKPOINT_PATH=str(tmp_path / "elsewhere/other name.pt"))
    assert execute_here(other)[0] == 0
    assert checkpoint_of(other) == checkpoint_of(whole[0])
    assert status_of(other)["run_id"] == "run-2"


def test_a_run_killed_three_times_while_training_ends_in_the_same_bytes(
    whole, trainer_command, job_environment, tmp_path
):
    environ = job_environment(tmp_path)
    for step in (1, 3, 6):
        job = start_until(trainer_command, environ, f"PROGRESS {step} ")
        job.send_signal(signal.SIGKILL)
        assert job.wait(10) == -signal.SIGKILL
        assert status_of(environ)["status"] == "running"
    code, output = execute_here(environ)
    assert code == 0
    assert "continuing from the saved state at step" in output
    assert checkpoint_of(environ) == checkpoint_of(whole[0])
    assert status_of(environ)["learning"] == status_of(whole[0])["learning"]
    assert not state_of(environ).exists()


def test_a_termination_saves_the_state_and_says_so(trainer_command, job_environment, tmp_path):
    environ = job_environment(tmp_path, VOICE_TRAIN_STEPS="400")
    job = start_until(trainer_command, environ, "PROGRESS 4 ")
    job.send_signal(signal.SIGTERM)
    output = job.communicate(timeout=30)[0]
    assert job.returncode == 30
    assert "FAILURE cause=interrupted" in output
    assert (status_of(environ)["status"], status_of(environ)["cause"]) == ("failed", "interrupted")
    assert state_of(environ).exists()
    assert not Path(environ["CHECKPOINT_PATH"]).exists()


def test_a_termination_while_the_state_is_read_loses_no_step(
    whole, trainer_command, job_environment, tmp_path, monkeypatch
):
    environ = job_environment(tmp_path)
    job = start_until(trainer_command, environ, "PROGRESS 6 ")
    job.send_signal(signal.SIGKILL)
    job.wait(10)
    saved = state_of(environ).read_bytes()
    read = tensor_archive.read

    def slow_read(path, **options):
        archive = read(path, **options)
        if "fingerprint" in archive.document:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)
        return archive

    with monkeypatch.context() as slowed:
        slowed.setattr(tensor_archive, "read", slow_read)
        code, output = execute_here(environ)
    assert (code, status_of(environ)["cause"]) == (30, "interrupted")
    assert "FAILURE cause=interrupted message=stopped by SIGTERM" in output and "ignored" not in output
    assert state_of(environ).read_bytes() == saved
    code, output = execute_here(environ)
    assert code == 0 and "continuing from the saved state" in output
    assert checkpoint_of(environ) == checkpoint_of(whole[0])


class Finalised:
    """Whose finaliser gets the signal: what is raised in one never leaves it."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_termination_that_comes_in_a_finaliser_ends_the_job_at_the_next_marker(
    job_environment, tmp_path, monkeypatch
):
    environ = job_environment(tmp_path)
    inspect = recording.inspect

    def inspected(*arguments):
        Finalised()
        return inspect(*arguments)

    monkeypatch.setattr(recording, "inspect", inspected)
    code, output = execute_here(environ)
    assert code == 30 and "FAILURE cause=interrupted" in output
    assert markers_of(environ)[-1] == "model_ok"


@pytest.mark.parametrize("state", ["torn", "other_settings"])
def test_a_state_that_does_not_fit_is_ignored_with_a_reason(state, whole, job_environment, tmp_path):
    environ = job_environment(tmp_path)
    state_of(environ).parent.mkdir()
    if state == "torn":
        state_of(environ).write_bytes(checkpoint_of(whole[0])[:10_000])
    else:
        checkpoint.save(state_of(environ), {"fingerprint": "0" * 64, "state": {"step": 5}})
    code, output = execute_here(environ)
    assert code == 0
    assert "the saved state is ignored" in output
    assert checkpoint_of(environ) == checkpoint_of(whole[0])


def test_a_missing_recording_is_a_data_failure_and_leaves_the_old_checkpoint(whole, job_environment, tmp_path):
    environ = job_environment(tmp_path, RUN_ID="run-3", VOICE_SOURCE_AUDIO="/nowhere/at/all.flac")
    Path(environ["CHECKPOINT_PATH"]).parent.mkdir()
    shutil.copy(whole[0]["CHECKPOINT_PATH"], environ["CHECKPOINT_PATH"])
    code, output = execute_here(environ)
    assert code == 10
    assert "FAILURE cause=audio_missing message=" in output
    assert "Traceback" not in output
    assert markers_of(environ) == ["run_id run-3", "import_ok", "model_ok"]
    assert (status_of(environ)["status"], status_of(environ)["run_id"]) == ("failed", "run-3")
    assert checkpoint_of(environ) == checkpoint_of(whole[0])


def test_a_loss_that_is_not_a_number_ends_as_non_finite_loss(job_environment, tmp_path, monkeypatch):
    # The fault is injected where a numerical bug would be; everything around it is real.
    monkeypatch.setattr(training, "batch_loss", lambda *parts: batch_loss(*parts) * float("nan"))
    environ = job_environment(tmp_path)
    code, output = execute_here(environ)
    assert code == 30
    assert "FAILURE cause=non_finite_loss" in output
    status = status_of(environ)
    assert (status["status"], status["cause"]) == ("failed", "non_finite_loss")
    assert status["learning"]["nonfinite_losses"] == 1
    assert markers_of(environ)[-1] == "train_started"
    assert not Path(environ["CHECKPOINT_PATH"]).exists()


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("raise ModuleNotFoundError(\"No module named 'soxr'\", name='soxr')", "missing_module"),
        ("import ctypes; ctypes.CDLL('libnot-there.so.9')", "missing_shared_library"),
        ("raise ImportError('x.so: undefined symbol: _ZN5torch3fooEv')", "abi_mismatch"),
        ("raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')", "abi_mismatch"),
    ],
)
def test_a_package_that_does_not_import_is_a_runtime_failure(source, cause, trainer_command, job_environment, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/soxr.py").write_text(source)
    environ = job_environment(tmp_path)
    environ["PYTHONPATH"] = f"{tmp_path / 'broken'}{os.pathsep}{environ['PYTHONPATH']}"
    result = execute(trainer_command, environ)
    assert result.returncode == 20
    assert f"FAILURE cause={cause} message=" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert markers_of(environ) == ["run_id run-1"]


@pytest.mark.parametrize("changes", [{"VOICE_TRAIN_STEPZ": "1"}, {"RUN_ID": ""}, {"VOICE_PREPARE_NO_SUCH": "1"}])
def test_a_wrong_setting_is_a_runtime_failure(changes, job_environment, tmp_path):
    code, output = execute_here(job_environment(tmp_path, **changes))
    assert code == 20
    assert "FAILURE cause=settings_invalid message=" in output


def test_an_output_that_cannot_be_written_is_a_training_failure(job_environment, tmp_path):
    # sysfs refuses new files even to root.
    code, output = execute_here(job_environment(tmp_path, TRAIN_STATUS_PATH="/sys/train_status.json"))
    assert code == 30
    assert "FAILURE cause=output_not_writable message=" in output
