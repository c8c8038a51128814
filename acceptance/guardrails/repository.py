"""The tracked files of the repository, as the working tree has them; paths are relative to its root and written with slashes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from acceptance.guardrails.finding import NotApplicable

_TEXT_LIMIT = 2**21
"""A larger file is data, not text."""
_GIT_TIMEOUT_S = 20


class Repository:
    """Tracked files and their texts; everything is read once."""

    def __init__(self, root: Path, tracked: Sequence[str]) -> None:
        self.root = root
        self.tracked = tuple(tracked)
        self.files = frozenset(tracked)
        self.directories = frozenset(parent for path in tracked for parent in _parents(path))
        self.text = cache(self._text)

    @classmethod
    def at(cls, root: Path) -> Repository:
        """The repository that `root` is in; raises NotApplicable where there is no git, no repository or no tracked file."""
        tracked = sorted(path for path in git(root, "ls-files", "-z").split("\0") if path)
        if not tracked:
            raise NotApplicable("git tracks no file here")
        return cls(root, tracked)

    def _text(self, path: str) -> str | None:
        """The text of a file with `\\n` line ends, however it was checked out; None for a link, for data, and for what is not there."""
        file = self.root / path
        try:
            if file.is_symlink() or file.stat().st_size > _TEXT_LIMIT:
                return None
            data = file.read_bytes()
        except OSError:
            return None
        return None if b"\0" in data[:8192] else data.decode("utf-8", "replace").replace("\r\n", "\n")

    def texts(self, *patterns: str) -> Iterator[tuple[str, str]]:
        """(path, text) of the tracked text files that match one of the patterns (default: all)."""
        for path in self.tracked:
            if not patterns or any(fnmatchcase(path, pattern) for pattern in patterns):
                text = self.text(path)
                if text is not None:
                    yield path, text

    def has(self, path: str) -> bool:
        """Whether a path is there, or a pattern with `*` names something tracked."""
        path = path.rstrip("/")
        if "*" in path:
            return any(fnmatchcase(tracked, path) for tracked in (*self.tracked, *self.directories))
        return (self.root / path).exists()

    def ignored(self, paths: Sequence[str]) -> frozenset[str]:
        """Those of the paths that git is told to ignore, as files or as directories: they come and go."""
        if not paths:
            return frozenset()
        asked = [form for path in paths for form in dict.fromkeys((path, path.rstrip("/") + "/"))]
        answer = git(self.root, "check-ignore", "-z", "--stdin", standard_input="\0".join(asked), accepted=(0, 1))
        return frozenset(path.rstrip("/") for path in answer.split("\0")) | frozenset(answer.split("\0"))


def git(root: Path, *arguments: str, standard_input: str | None = None, accepted: Sequence[int] = (0,)) -> str:
    """What git prints; raises NotApplicable with its reason."""
    command = ["git", "-C", str(root), *arguments]
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    }
    try:
        done = subprocess.run(
            command, input=standard_input, capture_output=True, encoding="utf-8", errors="surrogateescape",
            timeout=_GIT_TIMEOUT_S, check=False, env=environment | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        )  # fmt: skip
    except FileNotFoundError as error:
        raise NotApplicable("git is not installed") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotApplicable(f"git cannot be run: {type(error).__name__}") from error
    if done.returncode not in accepted:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise NotApplicable(f"git {arguments[0]}: {said}")
    return done.stdout


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
