"""Files that a container wrote are read once, as what they are, or not at all."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.evidence.untrusted_file import UntrustedFileError, identify, identify_if_regular, read


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "link to a file": (lambda path: path.symlink_to("/etc/hostname"), "is a symbolic link"),
    "dangling link": (lambda path: path.symlink_to("/nonexistent"), "is a symbolic link"),
    "loop": (lambda path: path.symlink_to(path.name), "is a symbolic link"),
    "directory": (Path.mkdir, "is not a regular file"),
    "FIFO": (os.mkfifo, "is not a regular file"),
    "socket": (_socket, "No such device or address"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a symbolic link"),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.timeout(5)
def test_anything_but_a_plain_file_is_refused_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    make, reason = ODD[kind]
    monkeypatch.chdir(tmp_path)
    make(Path("odd"))
    for attempt in (lambda: read(tmp_path / "odd", limit=10), lambda: identify(tmp_path / "odd")):
        with pytest.raises(UntrustedFileError, match=reason) as caught:
            attempt()
        assert not caught.value.missing
    assert identify_if_regular(tmp_path / "odd") is None


@pytest.mark.parametrize("path", ["nowhere", "file/below"])
def test_absence_is_told_from_everything_else(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UntrustedFileError) as caught:
        identify(tmp_path / path)
    assert caught.value.missing


@given(st.binary(max_size=64), st.integers(0, 64))
def test_a_file_is_read_whole_up_to_the_limit(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, limit: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "limited"
    path.write_bytes(data)
    assert identify(path).bytes == len(data)
    assert identify(path).sha256 == hashlib.sha256(data).hexdigest()
    if len(data) <= limit:
        assert read(path, limit=limit) == data
    else:
        with pytest.raises(UntrustedFileError, match=f"is larger than {limit} bytes"):
            read(path, limit=limit)
