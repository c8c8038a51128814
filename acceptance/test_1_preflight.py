"""Phase 1: the recording is there and is audio; the runtime answers. Nothing is built or started."""

from __future__ import annotations

import pytest

from acceptance.evidence import recording
from acceptance.objective import Settings
from acceptance.record.record import Recorder
from acceptance.runtimes.base import Runtime
from acceptance.session.run_session import RunSession

pytestmark = pytest.mark.order(1)


def test_audio_exists(source: recording.SourceRecording) -> None:
    """The recording is a readable regular file inside the workspace."""
    assert source.path.is_file()


def test_audio_size(source: recording.SourceRecording, settings: Settings) -> None:
    """It is strictly larger than the objective's minimum."""
    recording.check_size(source, settings)


def test_audio_not_lfs_pointer(source: recording.SourceRecording) -> None:
    """It is not the text that Git LFS leaves where a file has not been fetched."""
    recording.check_not_lfs_pointer(source)


def test_audio_decodes(source: recording.SourceRecording, run: RunSession, recorder: Recorder) -> None:
    """It decodes from the first to the last frame that its header announces."""
    facts = recording.decode(source, run.settings, run.policy)
    recorder.fact("audio", {**recorder.record.facts["audio"], **facts})


def test_docker_cli(engine: Runtime, recorder: Recorder) -> None:
    """The Docker client is installed (a process runtime needs none and says so)."""
    recorder.fact("docker_cli", engine.check_cli())


def test_docker_daemon(daemon: str, recorder: Recorder) -> None:
    """The Docker daemon answers this user in bounded time."""
    recorder.fact("docker_daemon", daemon)
