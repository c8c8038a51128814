"""Telling the few lines that Git LFS leaves in place of a file from the file itself."""

from __future__ import annotations

import re

HEAD_BYTES = 1024
"""A pointer has fewer bytes than this (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md); what follows is padding."""

_POINTER = re.compile(rb"(?:\xef\xbb\xbf)?\s*version https://(?:git-lfs|hawser)\.github\.com/spec/v1\b", re.IGNORECASE)
_OID = re.compile(rb"oid sha256:([0-9a-f]{64})")


def pointer_oid(head: bytes) -> str | None:
    """The object id that a file's first bytes name, `unknown` for a pointer that names none, None for anything else.

    Also found behind a byte order mark or blanks, with CRLF, padded, and by the format's first name (hawser).
    """
    head = head[:HEAD_BYTES]
    if not _POINTER.match(head):
        return None
    oid = _OID.search(head)
    return oid[1].decode("ascii") if oid else "unknown"
