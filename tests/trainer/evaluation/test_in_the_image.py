"""The measuring code in the training image: without network, the same bytes as on the host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.acceptance.engines import docker
from tests.trainer.evaluation.spoken import Clip

pytestmark = pytest.mark.engine

PROJECT = Path(__file__).parents[3]
JUDGE = """
import sys
from pathlib import Path
from trainer.evaluation.request import Request, answer
if __name__ == "__main__":
    files = {"output": Path(f"{sys.argv[1]}.json"), "markdown": Path(f"{sys.argv[1]}.md")}
    answer(Request(generated=Path("spoken"), reference=Path("real"), texts=Path("texts.txt"), processes=1, **files))
"""
"""A program that judges `spoken` and writes what it found under a name; the image holds the trainer and not the program `voice`."""


def test_image_without_network_gives_the_bytes_of_the_host(
    training_image: str, clips: list[Clip], tmp_path: Path
) -> None:
    for folder, clip in (("spoken", clips[0]), ("real", clips[1])):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "1.wav", clip.wave, clip.sample_rate)
    (tmp_path / "texts.txt").write_text(clips[0].text)
    (tmp_path / "judge.py").write_text(JUDGE)
    docker(
        "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", f"--user={os.getuid()}:{os.getgid()}",
        f"--volume={PROJECT / 'trainer'}:/opt/voice-acceptance/trainer:ro", f"--volume={tmp_path}:/clips", "--workdir=/clips", training_image,
        "python", "judge.py", "image",
    )  # fmt: skip
    environ = {**os.environ, "PYTHONPATH": str(PROJECT)}
    subprocess.run([sys.executable, "judge.py", "host"], cwd=tmp_path, env=environ, check=True, timeout=300)
    for kind in ("json", "md"):
        assert (tmp_path / f"image.{kind}").read_bytes() == (tmp_path / f"host.{kind}").read_bytes()
