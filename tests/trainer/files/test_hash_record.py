"""A record of hashes is what sha256sum writes and checks, and the first file that it has not is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trainer.files import hash_record

FILES = {"a.bin": b"one", "b c.bin": b"two"}
DIGESTS = hash_record.digests_of(FILES)


def test_sha256sum_writes_and_checks_the_same(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    for mode, mark in (("--text", "  "), ("--binary", " *")):
        done = subprocess.run(["sha256sum", mode, *FILES], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.replace(mark, "  ") == hash_record.render(FILES)
        assert hash_record.disagreement(done.stdout, DIGESTS) == ""


def test_a_changed_and_a_missing_file_are_named_with_what_stands_there() -> None:
    record = hash_record.render({"a.bin": b"other"})
    other = record.split()[0]
    assert hash_record.disagreement(record, DIGESTS) == f"a.bin has sha256 {DIGESTS['a.bin']}, SHA256SUMS has {other}"
    found = hash_record.disagreement(hash_record.render({"a.bin": b"one"}), DIGESTS)
    assert found == f"b c.bin has sha256 {DIGESTS['b c.bin']}, SHA256SUMS has no line for it"


@given(st.text())
def test_whatever_stands_in_it_no_file_is_found_that_is_not_listed(record: str) -> None:
    assert hash_record.disagreement(record, DIGESTS)
