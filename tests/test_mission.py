"""Every row of docs/mission.md is true: its commands parse, and the test that it names exists."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

from tests.test_pages import MAKEFILE, ROOT, command_of, pytest_options

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/mission.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| asked ")
]
COMMANDS = sorted({command for row in ROWS for command in re.findall("`([^`]+)`", row[1])})
PROOFS = sorted({proof for row in ROWS for proof in re.findall("`([^`]+)`", row[2])})


def claims_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    targets = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {name for name in names | targets if name.startswith("test_")}


def test_every_row_says_what_was_asked_how_it_is_done_and_what_proves_it() -> None:
    assert len(ROWS) > 40
    assert not [row for row in ROWS if len(row) != 3 or not row[0] or "`" not in row[1] or "`" not in row[2]]
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_parses(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    program, *words = shlex.split(command)
    if program == "make":
        assert all(re.search(rf"^{word}:", MAKEFILE, re.MULTILINE) for word in words)
    elif program == "pytest":
        options = pytest_options(pytestconfig)
        assert words[0] == "acceptance" and not [
            word for word in words if word.startswith("-") and word.partition("=")[0] not in options
        ]
    elif program == "voice":
        monkeypatch.chdir(tmp_path)
        found, context, rest = command_of(words)
        for folder in (word for word in rest if word.endswith("/")):
            (tmp_path / folder).mkdir(parents=True)
        try:
            found.make_context(context.info_name, rest, parent=context.parent)
        except click.exceptions.Exit:  # --help
            return
    else:
        assert (ROOT / program).is_file() and not words


@pytest.mark.parametrize("proof", PROOFS)
def test_every_proof_exists(proof: str) -> None:
    file, _, name = proof.partition("::")
    known = claims_of(ROOT / file)
    assert name in known if name else known
