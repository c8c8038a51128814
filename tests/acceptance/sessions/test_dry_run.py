"""`--full-cycle --dry-run`: it names every step with a command, and touches nothing, also in a tree that cannot be written."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.steps import OPTIONAL, STEP
from tests.acceptance.harness import environment
from tests.test_pages import command_of

State = dict[str, tuple[int, str]]


def state(tree: Path) -> State:
    """Time and content of every file, folder and link."""
    found = {".": (tree.stat().st_mtime_ns, "")}
    for path in sorted(tree.rglob("*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(tree))] = (path.lstat().st_mtime_ns, content)
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What a fresh clone has, with a recording."""
    for name in ("acceptance", "trainer", "docker/voice-train"):
        shutil.copytree(PROJECT_ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(PROJECT_ROOT / name, tmp_path / name)
    (tmp_path / "data/knowledge_audio_source").mkdir(parents=True)
    (tmp_path / "data/knowledge_audio_source/auntie_dottie.flac").write_bytes(b"a recording")
    return tmp_path


def dry_run(tree: Path, *arguments: str, python: tuple[str, ...] = ("-B",)) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *python, "-m", "pytest", "acceptance", "--full-cycle", "--dry-run", *arguments]
    return subprocess.run(
        command, cwd=tree, env=environment({"PYTHONPYCACHEPREFIX": None}), capture_output=True, text=True, check=False
    )


def check_commit(tree: Path, command: str) -> None:
    """It commits the records that are there, and leaves out those that git ignores, whatever else is staged."""
    (tree / "repo/voices/V/versions").mkdir(parents=True)
    for name in ("current.json", "voice.toml", "versions/a.json"):
        (tree / "repo/voices/V" / name).write_text("{}")
    (tree / "repo/artifacts").mkdir()
    (tree / "repo/artifacts/cost_log.jsonl").write_text("{}")
    (tree / "repo/.gitignore").write_text("artifacts/\n")
    (name,) = set(re.findall(r"voices/([^/]+)/current", command))
    script = f"""git init -q && git add .gitignore && {command.replace(f"voices/{name}/", "voices/V/")}
    git ls-tree -r --name-only HEAD"""
    author = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["bash", "-ec", script], cwd=tree / "repo", env=environment(author), capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-2:] == ["voices/V/current.json", "voices/V/versions/a.json"], done.stderr
    assert "voice.toml" not in done.stdout and ".gitignore" not in done.stdout


def test_every_step_has_its_command_and_nothing_is_touched(tree: Path) -> None:
    before = state(tree)
    found = dry_run(tree, "--production", "--commit", "--workspace=.", "--threshold", "scorecard.confidence=0.99")
    assert found.returncode == 0, found.stdout + found.stderr
    assert state(tree) == before and not list(tree.rglob("__pycache__")) + list(tree.rglob(".pytest_cache"))
    shown = found.stdout.splitlines()
    for step in STEP.values():
        (line,) = [each for each in shown if each.split() and each.split()[0] == step.check]
        assert len(line.split()) > 2, line
    assert {step.phase for step in STEP.values()} <= set(shown) and OPTIONAL.keys() <= set(shown)
    for command in (
        "docker build --file",
        "docker run --rm",
        "voice evaluate",
        "voice scorecard",
        "voice produce",
        "voice promote RUN",
        "git commit --only",
    ):
        assert command in found.stdout

    (line,) = [each for each in shown if "git commit --only" in each]
    check_commit(tree, line.split(maxsplit=1)[1])

    names = set()
    for line in shown:
        for command in line.partition("voice ")[2].split(" && "):
            words = shlex.split(command.partition(" | ")[0].removeprefix("voice "))
            if words and " voice " in line:
                parsed, context, rest = command_of(words)
                names.add(parsed.name)
                parsed.make_context(
                    context.info_name, rest, parent=context.parent
                )  # raises for an option that is not there
    assert names == {"verify", "say", "report", "evaluate", "scorecard", "produce", "promote", "versions"}
    assert found.stdout.count("--threshold scorecard.confidence=0.99") >= 5


def test_where_the_bytecode_is_there_a_plain_command_touches_nothing_either(tree: Path) -> None:
    assert dry_run(tree, "--collect-only", python=()).returncode == 0  # whatever the first use writes
    before = state(tree)
    assert dry_run(tree, python=()).returncode == 0
    assert state(tree) == before


def test_a_tree_that_cannot_be_written_is_no_trouble(tree: Path) -> None:
    binding = ["mount", "--bind", str(tree), str(tree)]
    if os.geteuid() or subprocess.run(binding, capture_output=True, check=False).returncode:
        pytest.skip("needs root to mount a folder read-only")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(tree)], check=True)
        with pytest.raises(OSError, match="Read-only"):
            (tree / "new").touch()
        before = state(tree)
        found = dry_run(tree, python=())
        assert found.returncode == 0 and "phase_8_promotion" in found.stdout, found.stderr
        assert state(tree) == before
    finally:
        subprocess.run(["umount", "--lazy", str(tree)], check=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--objective=nowhere",), "no file nowhere.toml"),
        (("--threshold", "cost.rate_per_hour=-1"), "rate_per_hour"),
        (("--resume",), "no journal of any run"),
        (("--texts=none.txt",), "--texts=none.txt cannot be read"),
        (("-k", "preflight"), "leave -k and -m out"),
    ],
)
def test_what_a_session_would_refuse_a_dry_run_refuses_too(tree: Path, arguments: tuple[str, ...], words: str) -> None:
    before = state(tree)
    found = dry_run(tree, *arguments)
    assert found.returncode == 4 and words in found.stderr
    assert state(tree) == before
