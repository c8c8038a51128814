"""`commit_records` commits records and nothing else, whatever state the repository is in; where it must not, nothing changes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from acceptance.record import git_commit
from acceptance.session.records_in_git import commit_records, is_record, records_of

LOG, HISTORY, CURRENT = "artifacts/cost_log.jsonl", "artifacts/eval_history.jsonl", "voices/an[n]/current.json"
TWIN = "voices/ann/current.json"
"""The record of the voice above is a pattern of this one's."""
RECORDS = [Path(name) for name in (LOG, HISTORY, CURRENT)]


class Repo:
    """A repository with a committed source file, one that is staged, one that is changed, and three new records."""

    def __init__(self, root: Path, workspace: Path) -> None:
        self.root, self.workspace = root, workspace
        root.mkdir(exist_ok=True)
        self.git("init", "--quiet", "-b", "main")

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True, text=True).stdout

    def write(self, name: str, text: str) -> None:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def fill(self) -> Repo:
        for name in ("staged.py", "changed.py"):
            self.write(name, "first\n")
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "first")
        for name in ("staged.py", "changed.py", "staged_new.py", "untracked.py"):
            self.write(name, "second\n")
        self.git("add", "--", ":(glob)**/staged*")
        for name in (LOG, HISTORY, CURRENT):
            self.write(name, f"{name}\n")
        return self

    def hook(self, name: str, script: str) -> None:
        path = self.root / ".git/hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def state(self) -> tuple[str, str, dict[str, bytes]]:
        """Where HEAD is, what is staged and what lies in the tree."""
        files = {
            str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts
        }
        head = subprocess.run(["git", "rev-parse", "-q", "HEAD"], cwd=self.root, capture_output=True, text=True).stdout
        return head, self.git("ls-files", "--stage"), files

    def status(self) -> list[str]:
        return [line for line in self.git("status", "--porcelain", "-uall", "-z").split("\0") if line]

    def others(self) -> list[str]:
        """What git says of everything but the records."""
        return [line for line in self.status() if not line.endswith((".jsonl", ".json"))]


@pytest.fixture(autouse=True)
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person with a name and with no settings of this machine."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ann@example.org")


@pytest.fixture(params=["", "studio/ann's voices"])
def repo(tmp_path: Path, request: pytest.FixtureRequest) -> Repo:
    """The workspace is the repository, or a folder in it."""
    return Repo(tmp_path / "repo", tmp_path / "repo" / request.param).fill()


@pytest.fixture
def simple(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo", tmp_path / "repo").fill()


def committed(repo: Repo, revision: str = "HEAD") -> list[str]:
    found = repo.git("diff-tree", "--root", "--no-commit-id", "--name-only", "-r", "-z", revision).split("\0")
    prefix = repo.workspace.relative_to(repo.root)
    return sorted(str(Path(name).relative_to(prefix)) for name in found if name)


def test_records_are_committed_and_everything_else_stays_as_it_is(repo: Repo) -> None:
    before, staged = repo.others(), repo.git("diff", "--cached")
    outcome = commit_records(repo.workspace, RECORDS, "Cycle 1: ann is promoted")
    assert outcome.problem is None and outcome.left_out == {}, outcome
    assert outcome.commit == repo.git("rev-parse", "HEAD").strip()
    assert list(outcome.paths) == committed(repo) == sorted((LOG, HISTORY, CURRENT))
    assert repo.git("log", "-1", "--format=%an %s").strip() == "Ann Cycle 1: ann is promoted"
    assert repo.others() == before and repo.git("diff", "--cached") == staged
    assert len(before) == 4 and len(repo.status()) == 4, "the records are clean"


def test_a_record_that_grew_is_committed_again_and_one_that_did_not_is_no_commit(repo: Repo) -> None:
    first = commit_records(repo.workspace, RECORDS, "one").commit
    again = commit_records(repo.workspace, RECORDS, "two")
    assert (again.commit, again.problem, again.text()) == (None, None, "nothing was committed: no record has changed")
    repo.write(LOG, "more\n")
    outcome = commit_records(repo.workspace, RECORDS, "three")
    assert outcome.paths == (LOG,) and repo.git("rev-parse", "HEAD~1").strip() == first


def test_the_first_commit_of_a_repository_can_be_one_of_records(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo", tmp_path / "repo")
    repo.write("source.py", "x\n")
    repo.git("add", "source.py")
    repo.write(LOG, "one\n")
    assert commit_records(repo.workspace, [Path(LOG)], "one").paths == (LOG,)
    assert committed(repo) == [LOG] and repo.git("status", "--porcelain") == "A  source.py\n"


def test_files_that_are_no_records_are_never_committed(simple: Repo) -> None:
    simple.write("voices/ann/voice.toml", "[speaker]\n")
    asked = [
        "changed.py",
        "voices/ann/voice.toml",
        "artifacts/runs/../../changed.py",
        "artifacts/voices/abc.pt",
        "/etc/passwd",
    ]
    outcome = commit_records(simple.workspace, [Path(LOG), *map(Path, asked)], "one")
    assert committed(simple) == [LOG] and set(outcome.left_out) == {Path(name).as_posix() for name in asked}


def test_the_name_of_a_record_is_no_pattern(simple: Repo) -> None:
    simple.write(TWIN, "another voice\n")
    assert commit_records(simple.workspace, [Path(CURRENT)], "one").paths == (CURRENT,) == tuple(committed(simple))


def test_a_link_in_the_place_of_a_record_is_left_out(simple: Repo) -> None:
    (simple.workspace / LOG).unlink()
    (simple.workspace / LOG).symlink_to("../changed.py")
    outcome = commit_records(simple.workspace, RECORDS, "one")
    assert committed(simple) == sorted((HISTORY, CURRENT)) and outcome.left_out == {LOG: "there is no such file"}


def test_an_ignored_record_is_left_out_with_the_place_of_the_rule(simple: Repo) -> None:
    simple.write(".gitignore", "/artifacts/\n")
    outcome = commit_records(simple.workspace, RECORDS, "one")
    assert committed(simple) == [CURRENT] and set(outcome.left_out) == {LOG, HISTORY}
    assert f"git check-ignore -v {LOG}" in outcome.left_out[LOG]


def test_a_record_that_somebody_has_staged_stays_staged_as_it_was(simple: Repo) -> None:
    simple.git("add", LOG)
    simple.write(LOG, "more\n")
    outcome = commit_records(simple.workspace, RECORDS, "one")
    assert "staged" in outcome.left_out[LOG] and committed(simple) == sorted((HISTORY, CURRENT))
    assert simple.git("show", f":{LOG}") == f"{LOG}\n"


def detached(repo: Repo, patch: pytest.MonkeyPatch) -> None:
    repo.git("checkout", "--quiet", "--detach")


def merging(repo: Repo, patch: pytest.MonkeyPatch) -> None:
    repo.git("stash", "--quiet", "-u")
    repo.git("branch", "side")
    for branch in ("side", "main"):
        repo.git("switch", "--quiet", branch)
        repo.write("changed.py", f"{branch}\n")
        repo.git("commit", "--quiet", "-am", branch)
    assert subprocess.run(["git", "merge", "side"], cwd=repo.root, capture_output=True).returncode == 1
    repo.write(LOG, "new\n")


def rebasing(repo: Repo, patch: pytest.MonkeyPatch) -> None:
    merging(repo, patch)
    repo.git("merge", "--abort")
    assert subprocess.run(["git", "rebase", "side"], cwd=repo.root, capture_output=True).returncode == 1


def without_name(repo: Repo, patch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            patch.delenv(f"GIT_{who}_{what}")
    repo.git("config", "user.useConfigOnly", "true")


def hook_fails(repo: Repo, patch: pytest.MonkeyPatch) -> None:
    repo.hook("pre-commit", "echo 'no commits on a Friday' >&2; exit 1")


def hook_adds_all(repo: Repo, patch: pytest.MonkeyPatch) -> None:
    repo.hook("pre-commit", "git add -A")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (detached, "no branch is checked out"),
        (merging, "a merge is in progress"),
        (rebasing, "no branch is checked out"),
        (without_name, "git config user.name"),
        (hook_fails, "no commits on a Friday"),
        (hook_adds_all, "a hook added changed.py to the commit, which is undone"),
    ],
)
def test_where_it_must_not_it_says_why_and_changes_nothing(
    simple: Repo, monkeypatch: pytest.MonkeyPatch, make, reason: str
) -> None:
    make(simple, monkeypatch)
    before = simple.state()
    outcome = commit_records(simple.workspace, RECORDS, "one")
    assert outcome.commit is None and outcome.problem is not None and reason in outcome.text(), outcome
    assert simple.state() == before


def test_without_a_repository_or_without_git_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / LOG).write_text("x\n")
    assert "not a git repository" in commit_records(tmp_path, [Path(LOG)], "one").text()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in commit_records(tmp_path, [Path(LOG)], "one").text()


def test_in_somebodys_hook_it_commits_to_the_workspaces_own_repository(
    simple: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo(tmp_path / "other", tmp_path / "other").fill()
    before = other.state()
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git/index"))
    outcome = commit_records(simple.workspace, RECORDS, "one")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert outcome.commit == simple.git("rev-parse", "HEAD").strip() and other.state() == before


def test_an_index_that_another_command_holds_is_told_with_the_next_step(
    simple: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_commit, "_INDEX_TRIES", 2)
    (simple.root / ".git/index.lock").touch()
    before = simple.others()
    outcome = commit_records(simple.workspace, RECORDS, "one")
    (simple.root / ".git/index.lock").unlink()
    assert outcome.commit and committed(simple) == sorted((LOG, HISTORY, CURRENT))
    command = outcome.text().partition("has ended: ")[2]
    subprocess.run(command, shell=True, cwd=simple.root, check=True)
    assert simple.others() == before and len(simple.status()) == 4


def test_the_records_of_a_run_are_found_and_each_is_one(simple: Repo) -> None:
    for name in ("artifacts/runs/r1/report.json", "artifacts/runs/r1/report.txt", "artifacts/runs/r1/container.log",
                 "artifacts/runs/r2/report.txt", TWIN, "voices/ann/versions/ab.json", "voices/bob/current.json",
                 "voices/ann/voice.toml"):  # fmt: skip
        simple.write(name, "x\n")
    found = records_of(simple.workspace, "r1", "ann")
    assert [path.as_posix() for path in found] == [
        LOG, HISTORY, "artifacts/runs/r1/report.json", "artifacts/runs/r1/report.txt", TWIN, "voices/ann/versions/ab.json",
    ]  # fmt: skip
    assert all(map(is_record, found))
    assert commit_records(simple.workspace, found, "one").paths == tuple(sorted(path.as_posix() for path in found))
