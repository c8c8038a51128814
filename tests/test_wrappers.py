"""The wrappers for those without make run what make runs, hand over every option, and end as pytest ends."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WRAPPERS = {"run-full-cycle.ps1": "full-cycle", "run-guardrails.ps1": "guardrails"}
SCRIPTS = [*WRAPPERS, "docker/venv_python.ps1"]
PWSH = shutil.which("pwsh") or shutil.which("powershell")
ARGUMENTS = [
    "--dry-run",
    "-k",
    "a and not b",
    "--objective=my voice.toml",
    "--set",
    "env.X=a,b",
    "-p",
    "no:cacheprovider",
    "ä $HOME",
]


def text_of(script: str) -> str:
    return (ROOT / script).read_text(encoding="utf-8")


def call_of(script: str) -> str:
    """The line that starts pytest."""
    (line,) = [line for line in text_of(script).splitlines() if line.startswith("& ")]
    return line


@pytest.mark.parametrize(("script", "target"), WRAPPERS.items())
def test_a_wrapper_gives_pytest_the_words_that_make_gives(script: str, target: str) -> None:
    command = [
        "make",
        "--no-print-directory",
        "-n",
        "-o",
        "venv",
        target,
        f"VENV={Path(sys.prefix)}",
        "BASE_IMAGE=",
        "ARGS=--last",
    ]
    (made,) = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    expected = made.partition(" -m ")[2].split()
    found = call_of(script).partition(" -m ")[2].replace("(Join-Path $PSScriptRoot 'acceptance')", "acceptance")
    assert found.split() == [*expected[:-1], "@args"] and expected[-1] == "--last"


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_names_only_what_there_is_and_closes_what_it_opens(script: str) -> None:
    text = text_of(script)
    assert text.isascii() and "\r" not in text and "\t" not in text
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    without_texts = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "''", code)
    assert all(without_texts.count(pair[0]) == without_texts.count(pair[1]) for pair in ("()", "{}", "[]"))
    assert "'" not in without_texts.replace("''", "") and '"' not in without_texts
    for place in re.findall(r"Join-Path \$PSScriptRoot '([^']+)'", code):
        assert (ROOT / place).exists(), place
    if script in WRAPPERS:
        assert code.splitlines()[-1] == "exit $LASTEXITCODE", "the exit status is pytest's"
        assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_fits_the_grammar(script: str) -> None:
    reason = "pip install tree-sitter tree-sitter-powershell: a grammar of PowerShell for machines without it"
    grammar = pytest.importorskip("tree_sitter_powershell", reason=reason)
    tree_sitter = pytest.importorskip("tree_sitter", reason=reason)
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    assert not parser.parse(text_of(script).encode()).root_node.has_error
    code = "\n".join(line for line in text_of(script).splitlines() if not line.startswith("#"))
    assert parser.parse(code.replace(")", "", 1).encode()).root_node.has_error


def pwsh(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    if PWSH is None:
        pytest.skip("no PowerShell is installed here; GitHub's runners have one")
    return subprocess.run(
        [PWSH, "-NoProfile", "-NonInteractive", *words], env=os.environ | environment, capture_output=True, text=True, check=False
    )  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_powershell_itself_parses_a_script(script: str) -> None:
    parse = "[System.Management.Automation.Language.Parser]::ParseFile($path, [ref] $null, [ref] $errors)"
    done = pwsh("-Command", f"$errors = $null; $path = '{ROOT / script}'; [void] {parse}; $errors; exit $errors.Count")
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Python is a shell script")
@pytest.mark.parametrize("script", WRAPPERS)
def test_a_wrapper_hands_over_every_option_and_ends_as_pytest_ends(tmp_path: Path, script: str) -> None:
    program = tmp_path / "bin/python"
    program.parent.mkdir()
    show = "import json, sys; print(json.dumps(sys.argv[1:])); sys.exit(7)"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(show)} "$@"\n')
    program.chmod(0o755)
    done = pwsh("-File", str(ROOT / script), *ARGUMENTS, VENV=str(tmp_path))
    assert done.returncode == 7, done.stderr
    assert json.loads(done.stdout)[-len(ARGUMENTS) :] == ARGUMENTS


def test_without_any_python_it_says_what_to_do(tmp_path: Path) -> None:
    done = pwsh("-File", str(ROOT / "run-guardrails.ps1"), VENV=str(tmp_path), PYTHON="no-such-program")
    assert done.returncode != 0 and "Next step: make venv" in done.stderr
