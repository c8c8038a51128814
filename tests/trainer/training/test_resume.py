"""What a saved state belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.training import resume


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name in ("model.py", "text/letters.json", "base/weights.pt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("one")
    return tmp_path


def digest(package: Path) -> str:
    resume.source_sha256.cache_clear()
    return resume.source_sha256(package)


@pytest.mark.parametrize("name", ["model.py", "text/letters.json", "base/weights.pt", "new.json"])
def test_a_changed_file_of_the_package_is_another_program(package: Path, name: str) -> None:
    before = digest(package)
    (package / name).write_text("two")
    assert digest(package) != before


def test_what_python_compiled_is_no_change(package: Path) -> None:
    before = digest(package)
    (package / "text/__pycache__").mkdir()
    (package / "text/__pycache__/model.cpython-311.pyc").write_bytes(b"code")
    assert digest(package) == before
