"""A minute of speech, clip by clip."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from tests import shared
from trainer.teachers import espeak
from trainer.teachers.demo_sentences import SENTENCES


@pytest.fixture(scope="session")
def spoken_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of a folder of clips: a minute of espeak-ng; not to be changed."""
    said = SENTENCES[:18]

    def make(folder: Path) -> None:
        (folder / "clips").mkdir()
        for index, (wave, rate) in enumerate(
            espeak.speak_all([espeak.SpeechRequest(text=text) for text in said]), start=1
        ):
            soundfile.write(folder / "clips" / f"c{index:02d}.flac", wave, rate)
        (folder / "metadata.csv").write_text(
            "".join(f"c{index:02d}|{text}\n" for index, text in enumerate(said, start=1))
        )

    return shared.once(tmp_path_factory, "spoken", make) / "metadata.csv"
