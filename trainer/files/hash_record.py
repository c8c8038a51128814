"""`SHA256SUMS`: digests of the files beside it, as sha256sum writes and checks them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?(.+)")


def render(files: Mapping[str, bytes]) -> str:
    """Its text for these files."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in digests_of(files).items())


def digests_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 by name."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def disagreement(record: str, digests: Mapping[str, str]) -> str:
    """The first file that the record has not with this digest, and what it has; "" if all agree."""
    matches = (_LINE.fullmatch(line.strip()) for line in record.splitlines())
    recorded = {match[2]: match[1] for match in matches if match}
    for name, digest in digests.items():
        if recorded.get(name) != digest:
            stated = f"has {recorded[name]}" if name in recorded else "has no line for it"
            return f"{name} has sha256 {digest}, {NAME} {stated}"
    return ""
