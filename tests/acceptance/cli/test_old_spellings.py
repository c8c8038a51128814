"""The programs of before end with one line that names the command of `voice`; `python -m trainer` does one thing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from acceptance.cli.main import voice
from acceptance.objective import PROJECT_ROOT
from trainer import renamed
from trainer.__main__ import main

OLD = [(program, word, new) for program, words in renamed.NEW.items() for word, new in words.items()]


@pytest.mark.parametrize(("program", "word", "new"), OLD)
def test_every_old_spelling_is_one_line_that_names_a_command_there_is(
    program: str, word: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert renamed.tell(program, [word, "--some", "option"] if word else []) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and f"python -m {program} {word}".rstrip() in err and f": {new} (" in err
    assert CliRunner().invoke(voice, [*new.split()[1:], "--help"]).exit_code == 0


@pytest.mark.long
@pytest.mark.parametrize("program", renamed.NEW)
def test_an_old_program_still_answers(program: str) -> None:
    word = next(iter(renamed.NEW[program]))
    command = [sys.executable, "-m", program, *([word] if word else [])]
    found = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 1 and renamed.NEW[program][word] in found.stderr


@pytest.mark.parametrize("words", [[], ["sing"], ["--help"], ["run", "twice"]])
def test_the_trainer_alone_runs_the_job_and_nothing_else(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_page_action_or_script_has_an_old_spelling() -> None:
    old = [f"-m {program} {word}".rstrip() for program, word, _ in OLD]
    here = Path(__file__).resolve()
    names = "acceptance trainer docker docs tests .ci/run Makefile README.md CHANGELOG.md CONTRIBUTING.md"
    places = [PROJECT_ROOT / name for name in names.split()]
    files = [path for place in places for path in ([place] if place.is_file() else place.rglob("*"))]
    kinds = ("", ".py", ".sh", ".md", ".yaml", ".toml", ".json")
    texts = [path for path in files if path.suffix in kinds and path.is_file() and path != here]
    assert len(texts) > 300
    found = [
        f"{path}: {each}"
        for path in texts
        for each in old
        if each in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []
