"""A Git LFS pointer is known in every dress, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.files.lfs_pointer import pointer_oid

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 12345678\n"
DRESSES = {
    "plain": POINTER,
    "CRLF": POINTER.replace(b"\n", b"\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + POINTER,
    "leading blanks": b"\n " + POINTER,
    "padded": POINTER + bytes(100_000),
    **{f"{name}{' and a byte order mark' * bool(mark)}": mark + POINTER.decode().encode(name) for name, mark in (
        ("utf-16-le", b""), ("utf-16-be", b""), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"))},
    "UTF-16 with CRLF": POINTER.replace(b"\n", b"\r\n").decode().encode("utf-16"),
    "UTF-16 and padded": POINTER.decode().encode("utf-16") + bytes(100_000),
    "UTF-16 behind blanks": (b"\n " + POINTER).decode().encode("utf-16"),
    "older name": POINTER.replace(b"git-lfs", b"hawser", 1),
}  # fmt: skip


@pytest.mark.parametrize("dress", DRESSES)
def test_a_pointer_names_its_object(dress: str) -> None:
    assert pointer_oid(DRESSES[dress]) == "ab" * 32


@pytest.mark.parametrize("oid", [b"", b"oid sha256:zz\n", b"oid md5:" + b"ab" * 32])
def test_a_pointer_without_an_object_id_is_a_pointer(oid: bytes) -> None:
    assert pointer_oid(POINTER.splitlines(keepends=True)[0] + oid) == "unknown"


@given(st.binary(max_size=200))
def test_other_bytes_are_no_pointer(data: bytes) -> None:
    assert pointer_oid(b"fLaC" + data) is None


@pytest.mark.parametrize("data", [b"", b"see " + POINTER, POINTER[:20], POINTER.replace(b"spec/v1", b"spec/v10")])
def test_text_like_a_pointer_is_none(data: bytes) -> None:
    assert pointer_oid(data) is None
