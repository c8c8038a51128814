"""A plain file is opened as what it is, or refused with the reason, and below a root no link leads anywhere."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with d/utt/a, and a secret beside the folder."""
    inside = tmp_path / "root"
    (inside / "d" / "utt").mkdir(parents=True)
    (inside / "d" / "utt" / "a").write_bytes(b"12345")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_bytes(b"secret")
    return inside


def refusal(path: Path, root: Path | None = None) -> PlainFileError:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(PlainFileError) as caught:
        plain_file.read(path, limit=100, root=root)
    assert len(os.listdir("/proc/self/fd")) == before
    return caught.value


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize("below_root", [False, True])
@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda path: None, "missing"),
        (lambda path: path.symlink_to("a"), "link"),
        (lambda path: path.symlink_to("nowhere"), "link"),
        (lambda path: path.symlink_to(path.name), "link"),
        (Path.mkdir, "not_regular"),
        (os.mkfifo, "not_regular"),
        (listening, "not_regular"),
    ],
    ids=["missing", "link", "dangling", "loop", "directory", "FIFO", "socket"],
)
@pytest.mark.timeout(5)
def test_what_is_no_plain_file_is_told_apart(
    root: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], cause: str, below_root: bool
) -> None:
    monkeypatch.chdir(root / "d" / "utt")  # a socket's name is short
    make(Path("odd"))
    assert refusal(root / "d" / "utt" / "odd", root if below_root else None).cause == cause


def test_a_plain_file_below_the_root_is_read(root: Path) -> None:
    assert plain_file.read(root / "d" / "utt" / "a", limit=5, root=root) == b"12345"
    with plain_file.opened(root / "d" / "utt" / "a", root=root / "d" / "utt") as file:
        assert file.read() == b"12345"


def test_a_link_that_leads_to_the_root_is_trusted(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert plain_file.read(tmp_path / "alias" / "d" / "utt" / "a", limit=5, root=tmp_path / "alias") == b"12345"


@pytest.mark.parametrize("place", ["d", "d/utt"])
@pytest.mark.parametrize("relative", [False, True])
def test_no_folder_below_the_root_may_be_a_link(root: Path, tmp_path: Path, place: str, relative: bool) -> None:
    (root / place).rename(tmp_path / "moved")
    (root / place).symlink_to(
        os.path.relpath(tmp_path / "moved", (root / place).parent) if relative else tmp_path / "moved"
    )
    path = root / "d" / "utt" / "a"
    assert path.read_bytes() == b"12345"
    assert refusal(path, root).cause == "link"
    assert plain_file.read(path, limit=5) == b"12345"


@pytest.mark.parametrize("name", ["../outside/a", "d/../../outside/a", "d/utt/../utt/a", "", "."])
def test_a_path_that_is_not_written_below_the_root_is_outside(root: Path, name: str) -> None:
    assert refusal(root / name, root).cause == "outside"
    assert refusal(root.parent / "outside" / "a", root).cause == "outside"


@pytest.mark.parametrize("below_root", [False, True])
def test_a_file_in_place_of_a_folder_is_no_directory(root: Path, below_root: bool) -> None:
    assert refusal(root / "d" / "utt" / "a" / "b", root if below_root else None).cause == "no_directory"


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_unreadable(root: Path, name: str) -> None:
    assert refusal(root / name, root).cause == refusal(root / name).cause == "unreadable"


def test_a_sparse_file_over_the_limit_is_refused_unread(root: Path) -> None:
    path = root / "huge"
    path.touch()
    os.truncate(path, 2**42)
    assert refusal(path).cause == "too_large"


def test_the_users_own_link_is_followed_to_a_plain_file_only(root: Path) -> None:
    (root / "link").symlink_to("d/utt/a")
    os.close(plain_file.descriptor_through_links(root / "link"))
    (root / "fifo").symlink_to("pipe")
    os.mkfifo(root / "pipe")
    for use in (plain_file.descriptor_through_links, plain_file.sha256_through_links):
        with pytest.raises(PlainFileError) as caught:
            use(root / "fifo")
        assert caught.value.cause == "not_regular"


def test_a_hash_is_of_the_whole_content_through_the_users_own_link_and_none_below_a_root(root: Path) -> None:
    (root / "link").symlink_to("d/utt/a")
    expected = hashlib.sha256(b"12345").hexdigest()
    assert plain_file.sha256(root / "d/utt/a", root=root) == plain_file.sha256_through_links(root / "link") == expected
    with pytest.raises(PlainFileError):
        plain_file.sha256(root / "link", root=root)
