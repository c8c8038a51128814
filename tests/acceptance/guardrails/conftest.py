"""A small repository of its own, committed at dates that the test chooses."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from acceptance.guardrails import Repository

DAY_S = 86_400
EPOCH = 1_700_000_000
"""When the commits of a checkout were made, unless said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A working tree under git."""

    root: Path

    def write(self, files: dict[str, str | bytes]) -> None:
        for path, content in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: dict[str, str | bytes], *, at: int = EPOCH) -> Repository:
        """Write and commit files; the repository as the guardrails see it then."""
        self.write(files)
        date = f"{at} +0000"
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x", GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
        return Repository.at(self.root)

    def git(self, *arguments: str, **environment: str) -> None:
        who = {
            "GIT_AUTHOR_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@t",
            "GIT_COMMITTER_NAME": "t",
            "GIT_COMMITTER_EMAIL": "t@t",
        }
        config = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=os.environ | who | config | environment,
            check=True,
            capture_output=True,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "checkout"
    root.mkdir()
    made = Checkout(root=root)
    made.git("init", "--quiet", "--initial-branch=main")
    return made
