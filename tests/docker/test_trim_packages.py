"""Trimmed packages load and compute as before: only what no job reads is gone."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SITE = Path(importlib.util.find_spec("numpy").origin).parents[1]  # type: ignore[union-attr, arg-type]
LIBRARIES = (
    "pyworld/pyworld.*.so",
    "numpy/_core/_multiarray_umath.*.so",
    "numpy.libs/*openblas*.so",
    "torch/lib/libshm.so",
)


@pytest.fixture(scope="module")
def trimmer() -> ModuleType:
    """docker/voice-train/trim_packages.py, which lies in no package."""
    spec = importlib.util.spec_from_file_location("trim_packages", ROOT / "docker/voice-train/trim_packages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def segments(data: bytes) -> dict[int, bytes]:
    """What a loader maps, by address; without the two tables that say where it lies in the file."""
    table, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    blank = bytearray(data)
    blank[:64], blank[table : table + 56 * count] = bytes(64), bytes(56 * count)
    found = {}
    for index in range(count):
        kind, _, offset, address, _, size, _, _ = struct.unpack_from("<2I6Q", data, table + 56 * index)
        if kind == 1:
            found[address] = bytes(blank[offset : offset + size])
    return found


@pytest.mark.parametrize("pattern", LIBRARIES)
def test_a_library_keeps_every_byte_that_is_loaded_at_its_address(trimmer: ModuleType, pattern: str) -> None:
    data = next(SITE.glob(pattern)).read_bytes()
    made = trimmer.loaded_only(data)
    assert len(made) < len(data)
    assert segments(made) == segments(data)


def test_a_trimmed_library_is_not_made_smaller_again(trimmer: ModuleType) -> None:
    made = trimmer.loaded_only(next(SITE.glob(LIBRARIES[0])).read_bytes())
    assert trimmer.loaded_only(bytes(made)) == made


@pytest.mark.parametrize(
    "data", [b"", b"INPUT(libother.so)", b"\x7fELF\x01\x01 of 32 bits"], ids=["empty", "script", "32 bits"]
)
def test_other_files_are_kept(trimmer: ModuleType, data: bytes) -> None:
    assert trimmer.loaded_only(data) is data


def test_a_library_whose_segments_cannot_move_is_kept(trimmer: ModuleType) -> None:
    data = bytearray(next(SITE.glob(LIBRARIES[0])).read_bytes())
    table, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    kinds = [struct.unpack_from("<I", data, table + 56 * index)[0] for index in range(count)]
    struct.pack_into(
        "<Q", data, table + 56 * kinds.index(2) + 8, len(data) - 8
    )  # its dynamic section outside what is loaded
    assert trimmer.loaded_only(bytes(data)) == data


def test_trimmed_packages_compute_the_same(tmp_path: Path) -> None:
    for name in ("numpy", "numpy.libs", "pyworld"):
        shutil.copytree(SITE / name, tmp_path / name)
    subprocess.run([sys.executable, ROOT / "docker/voice-train/trim_packages.py", tmp_path], check=True, timeout=60)
    program = (
        "import numpy, pyworld, hashlib; wave = numpy.random.default_rng(0).normal(size=8000); print(numpy.__file__, pyworld.__file__); "
        "print(hashlib.sha256(pyworld.dio(wave, 16000)[0].tobytes() + numpy.linalg.svd(wave.reshape(80, 100))[1].tobytes()).hexdigest())"
    )
    printed = []
    for path in (SITE, tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        printed.append(done.stdout.split())
    assert {Path(name).parents[1] for name in printed[1][:2]} == {tmp_path}
    assert printed[0][2] == printed[1][2]


def test_tests_of_packages_and_compilers_files_go_and_licences_stay(trimmer: ModuleType, tmp_path: Path) -> None:
    kept = [
        "a/__init__.py",
        "a/tests.py",
        "a/testing/x.py",
        "a/latest/x.py",
        "a-1.dist-info/licenses/test/LICENSE",
        "torch/bin/torch_shm_manager",
    ]
    gone = [
        "a/tests/x.py",
        "a/b/test/tests/x.py",
        "torch/include/x.h",
        "torch/bin/protoc-3",
        "onnxruntime/capi/libonnxruntime.so.1.2.3",
    ]
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    trimmer.trim(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
