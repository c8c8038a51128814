"""The measuring code in the training image: without network, the same bytes as on the host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.acceptance.engines import docker, require_engine
from trainer.evaluation.__main__ import main
from trainer.evaluation.rating import Clip

pytestmark = pytest.mark.engine

IMAGES = ("casimir-voice-train:latest", "voice-acceptance-demo:latest")
TRAINER = Path(__file__).parents[3] / "trainer"
ARGUMENTS = ["evaluate", "--generated", "spoken", "--reference", "real", "--texts", "texts.txt", "--processes", "1"]


@pytest.fixture
def image() -> Iterator[str]:
    """A training image of this machine; the sources of the working tree are mounted over its own."""
    require_engine()
    for name in IMAGES:
        try:
            yield docker("image", "inspect", "-f", "{{.Id}}", name)
        except subprocess.CalledProcessError:
            continue
        return
    pytest.skip(f"needs a training image ({' or '.join(IMAGES)}): make acceptance or make demo builds it")


def test_image_without_network_gives_the_bytes_of_the_host(
    image: str, clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, clip in (("spoken", clips[0]), ("real", clips[1])):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "1.wav", clip.wave, clip.sample_rate)
    (tmp_path / "texts.txt").write_text(clips[0].text)
    docker(
        "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", f"--user={os.getuid()}:{os.getgid()}",
        f"--volume={TRAINER}:/opt/voice-acceptance/trainer:ro", f"--volume={tmp_path}:/clips", "--workdir=/clips", image,
        "python", "-m", "trainer.evaluation", *ARGUMENTS, "--output", "image.json", "--markdown", "image.md",
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*ARGUMENTS, "--output", "host.json", "--markdown", "host.md"]) == 0
    for kind in ("json", "md"):
        assert (tmp_path / f"image.{kind}").read_bytes() == (tmp_path / f"host.{kind}").read_bytes()
