"""Telling the few lines that Git LFS leaves in place of a file from the file itself."""

from __future__ import annotations

import re

HEAD_BYTES = 1024
"""A pointer has fewer bytes than this (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md); what follows is padding."""

_POINTER = re.compile(rb"(?:\xef\xbb\xbf)?\s*version https://(?:git-lfs|hawser)\.github\.com/spec/v1\b", re.IGNORECASE)
_OID = re.compile(rb"oid sha256:([0-9a-f]{64})")


def pointer_oid(head: bytes) -> str | None:
    """The object id that a file's first bytes name, `unknown` for a pointer that names none, None for anything else.

    Also found behind a byte order mark or blanks, with CRLF, padded, in UTF-16, and by the format's first name (hawser).
    """
    head = _one_byte_each(head[:HEAD_BYTES])
    if not _POINTER.match(head):
        return None
    oid = _OID.search(head)
    return oid[1].decode("ascii") if oid else "unknown"


def _one_byte_each(head: bytes) -> bytes:
    """The text of UTF-16 with one byte for each character, as the pointer was before some editor saved it; other bytes as they are."""
    start = head[:16]
    if start.startswith(b"\xff\xfe") or (len(start) == 16 and not any(start[1::2]) and all(start[::2])):
        text = head.decode("utf-16-le", "ignore")
    elif start.startswith(b"\xfe\xff") or (len(start) == 16 and not any(start[::2]) and all(start[1::2])):
        text = head.decode("utf-16-be", "ignore")
    else:
        return head
    return text.lstrip("\ufeff").encode("ascii", "replace")
