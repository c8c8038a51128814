"""A wheel without its native extensions is a valid wheel, the same on every machine."""

from __future__ import annotations

import csv
import importlib.util
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.docker.synthetic_wheel import record_hash, write_wheel

FILES = {
    "torchaudio/__init__.py": b"from torchaudio import lib\n",
    "torchaudio/lib/__init__.py": b"",
    "torchaudio/lib/_torchaudio.so": b"\x7fELF cuda",
    "torchaudio/lib/libctc.so": b"\x7fELF cuda too",
    "torchaudio/other.so": b"\x7fELF kept",
}


@pytest.fixture(scope="module")
def repack() -> ModuleType:
    """docker/repack_wheel.py, which lies in no package."""
    path = Path(__file__).parents[2] / "docker" / "repack_wheel.py"
    spec = importlib.util.spec_from_file_location("repack_wheel", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repacked(repack: ModuleType, tmp_path: Path) -> Path:
    wheel = write_wheel(tmp_path / "in", "torchaudio", "2.11.0", FILES)
    (tmp_path / "out").mkdir()
    return repack.without_extensions(wheel, tmp_path / "out", inside="torchaudio/lib/")


def test_only_the_extensions_of_that_directory_are_taken_out(repacked: Path) -> None:
    with zipfile.ZipFile(repacked) as archive:
        kept = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert kept == {"torchaudio/__init__.py", "torchaudio/lib/__init__.py", "torchaudio/other.so"}


def test_record_lists_every_file_with_its_hash_and_size(repacked: Path) -> None:
    with zipfile.ZipFile(repacked) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    record = next(name for name in contents if name.endswith("RECORD"))
    rows = {path: (digest, size) for path, digest, size in csv.reader(io.StringIO(contents[record].decode()))}
    assert rows.pop(record) == ("", "")
    assert rows == {
        name: (f"sha256={record_hash(data)}", str(len(data))) for name, data in contents.items() if name != record
    }


def test_pip_installs_the_result_and_it_imports(repacked: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, f"--target={target}", str(repacked)], check=True)
    done = subprocess.run([sys.executable, "-c", "import torchaudio; print(torchaudio.__file__)"],
                          env={"PYTHONPATH": str(target)}, capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.startswith(str(target))


def test_the_result_does_not_depend_on_order_or_compression_of_the_input(
    repack: ModuleType, repacked: Path, tmp_path: Path
) -> None:
    shuffled = tmp_path / "shuffled" / "torchaudio-2.11.0-py3-none-any.whl"
    shuffled.parent.mkdir()
    with (
        zipfile.ZipFile(tmp_path / "in" / shuffled.name) as source,
        zipfile.ZipFile(shuffled, "w", zipfile.ZIP_STORED) as copy,
    ):
        for name in reversed(source.namelist()):
            copy.writestr(name, source.read(name))
    (tmp_path / "again").mkdir()
    again = repack.without_extensions(shuffled, tmp_path / "again", inside="torchaudio/lib/")
    assert again.read_bytes() == repacked.read_bytes()


def test_the_file_name_says_that_it_is_not_the_original(repacked: Path) -> None:
    assert repacked.name == "torchaudio-2.11.0-0noext-py3-none-any.whl"


def test_a_wheel_without_extensions_is_left_alone(repack: ModuleType, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "pure", "1.0", {"pure.py": b""})
    assert repack.without_extensions(wheel, tmp_path, inside="torchaudio/lib/") == wheel


def test_a_cuda_build_is_told_by_what_it_requires(repack: ModuleType, tmp_path: Path) -> None:
    cuda = write_wheel(
        tmp_path / "a", "torch", "2.13.0", {"torch.py": b""}, requires=("filelock", "nvidia-cublas==13; x")
    )
    cpu = write_wheel(tmp_path / "b", "torch", "2.13.0+cpu", {"torch.py": b""}, requires=("filelock", "sympy"))
    assert (repack.needs_cuda(cuda), repack.needs_cuda(cpu)) == (True, False)


def test_a_wheel_wanted_alone_requires_nothing_and_is_otherwise_itself(repack: ModuleType, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "in", "loner", "1.0", {"loner.py": b"x = 1\n"}, requires=("numba", "librosa>=1"))
    made = repack.without_requirements(wheel, tmp_path)
    assert made.name == "loner-1.0-0alone-py3-none-any.whl"
    with zipfile.ZipFile(made) as archive:
        assert b"Requires-Dist" not in archive.read("loner-1.0.dist-info/METADATA")
        assert archive.read("loner.py") == b"x = 1\n"


def test_a_wheel_that_requires_nothing_is_kept(repack: ModuleType, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "pure", "1.0", {"pure.py": b""})
    assert repack.without_requirements(wheel, tmp_path) == wheel
