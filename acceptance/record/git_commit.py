"""Commits some files of a workspace and nothing else: an index of its own keeps out what somebody has staged or changed.

The commit itself is git's (`git commit`): hooks, signing and the reference log are the person's. Whatever a hook adds to it is found afterwards,
and then the branch goes back to where it was. What was committed is brought into the real index too; every other entry there stays as it is.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TIMEOUT_S = 300
"""A person's hooks may run tests."""
_INDEX_TRIES, _INDEX_PAUSE_S = 50, 0.1
_IN_PROGRESS = {
    "MERGE_HEAD": "a merge", "CHERRY_PICK_HEAD": "a cherry-pick", "REVERT_HEAD": "a revert", "rebase-merge": "a rebase",
    "rebase-apply": "a rebase", "BISECT_LOG": "a bisection",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitOutcome:
    """What was committed and what was not; there is no exception for it."""

    commit: str | None = None
    paths: tuple[str, ...] = ()
    """In the commit, relative to the workspace."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Paths that were asked for, each with the reason."""
    problem: str | None = None
    """What went wrong, with the next step; None where all is well, or where nothing had changed."""

    def text(self) -> str:
        """One sentence."""
        if self.problem is not None:
            return self.problem
        if self.commit is None:
            return "nothing was committed: no record has changed"
        return f"committed {len(self.paths)} records as {self.commit[:12]}"


class _NotCommitted(Exception):
    """Says why, and the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checkout:
    """A working tree, seen from the workspace in it."""

    workspace: Path
    environment: dict[str, str]

    @classmethod
    def at(cls, workspace: Path) -> _Checkout:
        """Raises _NotCommitted where nothing can be committed now."""
        found = cls(workspace=workspace, environment={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"})
        for name in found.git("rev-parse", "--local-env-vars").split():
            found.environment.pop(name, None)  # of another repository: this session may run in somebody's hook
        found.git("rev-parse", "--show-toplevel", why="keep the workspace in a git repository: git init")
        if found.ask("symbolic-ref", "-q", "HEAD").returncode:
            raise _NotCommitted(
                "no branch is checked out, so the commit would be lost; check one out: git switch -c NAME"
            )
        for name, what in _IN_PROGRESS.items():
            if found.path(name).exists():
                raise _NotCommitted(f"{what} is in progress; end it, then commit")
        for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            found.git("var", who, why="say who you are: git config user.name NAME, git config user.email ADDRESS")
        return found

    def ask(self, *words: str, index: Path | None = None, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run git; raises _NotCommitted where it cannot be run."""
        environment = self.environment if index is None else {**self.environment, "GIT_INDEX_FILE": str(index)}
        try:
            return subprocess.run(
                ["git", "-C", str(self.workspace), *words], input=text, capture_output=True,
                encoding="utf-8", errors="surrogateescape", timeout=_TIMEOUT_S, check=False, env=environment,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise _NotCommitted("git is not installed; install it") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _NotCommitted(f"git {words[0]} did not end ({type(error).__name__}); run it by hand") from error

    def git(self, *words: str, index: Path | None = None, text: str = "", why: str = "see git status") -> str:
        """What git prints; raises _NotCommitted with git's reason and the next step."""
        done = self.ask(*words, index=index, text=text)
        if done.returncode:
            said = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
            reason = next(
                (line for line in said if line.startswith(("fatal:", "error:"))), said[-1] if said else "no reason"
            )
            raise _NotCommitted(f"git {words[0]}: {reason}; {why}")
        return done.stdout

    def path(self, name: str) -> Path:
        """A file of git's own."""
        return self.workspace / self.git("rev-parse", "--git-path", name).rstrip("\n")

    def head(self) -> str | None:
        """The commit that is checked out; None before the first."""
        done = self.ask("rev-parse", "-q", "--verify", "HEAD^{commit}")
        return done.stdout.strip() or None

    def ignores(self, name: str) -> bool:
        """Whether git is told to ignore a file that it does not track."""
        done = self.ask("check-ignore", "-q", "--", name)
        if done.returncode > 1:
            raise _NotCommitted(f"git check-ignore: {done.stderr.strip()}; see git status")
        return done.returncode == 0

    def names(self, *words: str, index: Path | None = None) -> set[str]:
        """Paths relative to the workspace that a command with -z lists; those outside are absent."""
        return {name for name in self.git(*words, index=index).split("\0") if name}


def commit_only(workspace: Path, paths: Sequence[Path], message: str) -> CommitOutcome:
    """Commit these files of the workspace as they are now (paths relative to it); never anything else."""
    left_out: dict[str, str] = {}
    try:
        checkout = _Checkout.at(workspace)
        wanted = [
            name for name in dict.fromkeys(path.as_posix() for path in paths) if _is_takeable(checkout, name, left_out)
        ]
        commit, names, problem = _commit(checkout, wanted, message) if wanted else (None, set[str](), None)
    except _NotCommitted as error:
        return CommitOutcome(left_out=left_out, problem=f"nothing was committed: {error}")
    return CommitOutcome(commit=commit, paths=tuple(sorted(names)), left_out=left_out, problem=problem)


def _literal(name: str) -> str:
    """A name as a pathspec in which `*` and `[` mean themselves."""
    return f":(literal){name}"


def _is_takeable(checkout: _Checkout, name: str, left_out: dict[str, str]) -> bool:
    """Whether a file can go into a commit; else the reason is added."""
    try:
        plain = stat.S_ISREG(os.lstat(checkout.workspace / name).st_mode)
    except OSError:
        plain = False
    if not plain:
        left_out[name] = "there is no such file"
    elif checkout.ignores(name):
        left_out[name] = f"git is told to ignore it; see where: git check-ignore -v {name}"
    elif checkout.names("diff", "--cached", "--name-only", "--no-renames", "--relative", "-z", "--", _literal(name)):
        left_out[name] = "somebody has staged a state of it; commit that first"
    return name not in left_out


def _commit(checkout: _Checkout, wanted: list[str], message: str) -> tuple[str | None, set[str], str | None]:
    """(commit, its paths, problem), or no commit where nothing has changed."""
    before = checkout.head()
    with tempfile.TemporaryDirectory(prefix="voice-commit-") as place:
        index = Path(place) / "index"
        checkout.git("read-tree", *([before] if before else ["--empty"]), index=index)
        checkout.git("add", "--", *map(_literal, wanted), index=index)
        tree = checkout.git("write-tree", index=index).strip()
        empty = checkout.git("hash-object", "-t", "tree", "--stdin").strip()
        if tree == (checkout.git("rev-parse", f"{before}^{{tree}}").strip() if before else empty):
            return None, set(), None
        checkout.git(
            "commit", "--quiet", "--cleanup=whitespace", "--file=-", index=index, text=message, why="see what its hooks ask for",
        )  # fmt: skip
    commit = checkout.head()
    assert commit is not None
    # Relative to the top, so that a file outside of the workspace shows too.
    prefix = checkout.git("rev-parse", "--show-prefix").rstrip("\n")
    found = checkout.names("diff-tree", "--root", "--no-commit-id", "--name-only", "--no-renames", "-r", "-z", commit)
    strange = sorted(found - {prefix + name for name in wanted})
    if strange:
        undo = ["HEAD", before, commit] if before else ["-d", "HEAD", commit]
        checkout.git("update-ref", "-m", "records: a hook added other files", *undo)
        raise _NotCommitted(
            f"a hook added {strange[0]} to the commit, which is undone; leave the hook out or commit by hand"
        )
    entries = checkout.git("ls-tree", "-r", "-z", "--full-name", commit, "--", *wanted)
    return commit, {name.removeprefix(prefix) for name in found}, _bring_into_index(checkout, entries)


def _bring_into_index(checkout: _Checkout, entries: str) -> str | None:
    """The entries of the commit into the real index, else git would call new files staged for deletion; what went wrong, or None."""
    for _ in range(_INDEX_TRIES):
        done = checkout.ask("update-index", "-z", "--index-info", text=entries)
        if done.returncode == 0:
            return None
        time.sleep(_INDEX_PAUSE_S)
    names = " ".join(shlex.quote(entry.partition("\t")[2]) for entry in entries.split("\0") if entry)
    return f"the records are committed, but another command holds the index; when it has ended: git reset -q -- {names}"
