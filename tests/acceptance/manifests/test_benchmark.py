"""The benchmark of hashing runs to its end; what it measures on a busy machine is no test."""

from __future__ import annotations

import shutil

import pytest

from tests.benchmarks import manifest_hashing


def test_the_benchmark_of_hashing_measures_all_three(capsys: pytest.CaptureFixture[str]) -> None:
    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not installed")
    manifest_hashing.main(["--rounds=1", "--small=40", "--large=2", "--megabytes=2", "--clips=20", "--threads=2"])
    printed = capsys.readouterr().out
    assert printed.count("times as long as the best sha256sum") == 2 and "voice manifest create, 20 clips" in printed
