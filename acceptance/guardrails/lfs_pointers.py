"""Preflight: no tracked file is only the text that Git LFS leaves in place of the real one."""

from __future__ import annotations

from acceptance.guardrails.finding import Finding
from acceptance.guardrails.repository import Repository
from trainer.files.lfs_pointer import HEAD_BYTES, pointer_oid


def findings(repository: Repository) -> list[Finding]:
    """Files whose content was not fetched."""
    return [
        Finding(path, "is only a Git LFS pointer; fetch the file: git lfs pull")
        for path, text in repository.texts()
        if len(text) <= HEAD_BYTES and pointer_oid(text.encode("utf-8", "replace")) is not None
    ]
