"""Archives of a build context: the same files give the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes.build_context import Archive, ignored_patterns
from acceptance.runtimes.docker.engine import context_names


def archive(root, names):
    made = Archive(root, names)
    data = b"".join(made)
    assert made.bytes == len(data)
    return made.sha256, data


def tree(root):
    for name, content in {"b/two": b"2", "a": b"1", "b/ünï": b"3", "run.sh": b"#!"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("a")
    return {"b", "b/two", "a", "b/ünï", "run.sh", "link"}


def test_bytes_do_not_depend_on_place_time_owner_mask_or_order(tmp_path):
    names = tree(tmp_path / "one")
    tree(tmp_path / "two")
    os.utime(tmp_path / "two" / "a", (1e9, 1e9))
    (tmp_path / "two" / "a").chmod(0o600)
    (tmp_path / "two" / "run.sh").chmod(0o711)
    if os.geteuid() == 0:
        os.chown(tmp_path / "two" / "a", 1234, 1234)
    digest, data = archive(tmp_path / "one", sorted(names))
    assert (digest, data) == archive(tmp_path / "two", sorted(names, reverse=True))
    assert digest == hashlib.sha256(data).hexdigest() == Archive(tmp_path / "one", names).digest()


def test_members_keep_content_kind_and_executability(tmp_path):
    _, data = archive(tmp_path, tree(tmp_path))
    with tarfile.open(fileobj=io.BytesIO(data)) as read:
        members = {member.name: member for member in read}
        assert read.extractfile("b/ünï").read() == b"3"
    assert [member.name for member in members.values()] == sorted(members)
    assert members["link"].linkname == "a"
    assert (members["run.sh"].mode, members["a"].mode, members["b"].mode) == (0o755, 0o644, 0o755)
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members.values()} == {(0, 0, 0, "")}


@pytest.mark.parametrize("change", ["content", "name", "executable", "link"])
def test_a_change_that_an_image_could_see_changes_the_digest(tmp_path, change):
    names = tree(tmp_path)
    before = Archive(tmp_path, names).digest()
    if change == "content":
        (tmp_path / "a").write_bytes(b"x")
    elif change == "name":
        (tmp_path / "a").rename(tmp_path / "c")
        names = names - {"a"} | {"c"}
    elif change == "executable":
        (tmp_path / "a").chmod(0o755)
    else:
        (tmp_path / "link").unlink()
        (tmp_path / "link").symlink_to("b")
    assert Archive(tmp_path, names).digest() != before


def test_sockets_and_fifos_are_left_out_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "sock"))
        (tmp_path / "file").write_bytes(b"x")
        _, data = archive(tmp_path, {"fifo", "sock", "file"})
    with tarfile.open(fileobj=io.BytesIO(data)) as read:
        assert read.getnames() == ["file"]


def test_a_file_that_vanished_is_a_change_of_sources(tmp_path):
    with pytest.raises(EnvironmentBlocked) as caught:
        archive(tmp_path, {"gone"})
    assert caught.value.cause == "sources_changed"


def test_a_name_below_a_linked_folder_is_not_read(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"x")
    (tmp_path / "linked").symlink_to("real")
    with pytest.raises(EnvironmentBlocked, match="its folder linked is a symbolic link") as caught:
        archive(tmp_path, {"linked/file"})
    assert caught.value.cause == "build_context_missing_file"


def test_a_long_name_and_a_large_file_survive(tmp_path):
    name = "/".join(["d" * 60] * 4) + "/file"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"z" * 5_000_000)
    _, data = archive(tmp_path, {name})
    with tarfile.open(fileobj=io.BytesIO(data)) as read:
        assert read.extractfile(name).read() == b"z" * 5_000_000


def ignored(root: Path, *patterns: str) -> set[str]:
    (root / ".dockerignore").write_bytes("\ufeff".encode() + "\r\n".join(patterns).encode())
    return context_names(root, "Dockerfile")


def test_dockerignore_excludes_comments_exceptions_and_byte_order_mark_included(tmp_path):
    tree(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM x")
    names = ignored(tmp_path, "# a", "  b/two  ", "", "*.sh", "Dockerfile", "!run.sh")
    assert "a" in names
    assert "b/two" not in names
    assert "run.sh" in names
    assert "Dockerfile" in names
    assert ".dockerignore" in names


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"good\ncaf\xe9\n", 2),
        ("x\n".encode("utf-16"), 1),
        (b"!\n", 1),
        (b"a\n[\n", 2),
        (b"[]a]\n", 1),
        (b"[^]\n", 1),
        (b"[a-]\r\n", 1),
        (b"a\\\n", 1),
    ],
)
def test_a_dockerignore_that_the_client_refuses_or_cannot_mean_is_named_with_its_line(
    tmp_path: Path, content: bytes, line: int
) -> None:
    (tmp_path / ".dockerignore").write_bytes(content)
    with pytest.raises(EnvironmentBlocked, match=rf"\.dockerignore, line {line}:") as caught:
        ignored_patterns(tmp_path)
    assert caught.value.cause == "dockerignore_invalid"


def test_a_dockerignore_is_read_as_the_client_reads_it(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_bytes(
        b"\xef\xbb\xbf# note\r\n  a \r\n\r\n #b\n!c\n\\[\n[a-b]\n[^a]\n[[]\n[a]]\n**/x\nd\x0be\n"
    )
    assert ignored_patterns(tmp_path) == ["a", "#b", "!c", "\\[", "[a-b]", "[^a]", "[[]", "[a]]", "**/x", "d\x0be"]


def test_a_dockerignore_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").mkdir()
    with pytest.raises(EnvironmentBlocked, match=r"\.dockerignore is not a file"):
        ignored_patterns(tmp_path)
