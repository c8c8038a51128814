"""What is wrong in a repository is named with its place, and what is right is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.guardrails import (
    NotApplicable,
    Repository,
    context_budget,
    dead_references,
    ignored_files,
    lfs_pointers,
    machine_paths,
    missing_files,
    portable_names,
)
from acceptance.objective import PROJECT_ROOT
from acceptance.policy import ContextBudgetPolicy
from tests.acceptance.guardrails.conftest import Checkout

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 5\n"
# Put together here, so that this file does not name such a place itself.
HOME = "/" + "home/alice/"


def test_a_directory_without_git_or_without_tracked_files_is_skipped_with_the_reason(
    tmp_path: Path, checkout: Checkout
) -> None:
    with pytest.raises(NotApplicable, match="not a git repository"):
        Repository.at(tmp_path)
    with pytest.raises(NotApplicable, match="tracks no file"):
        Repository.at(checkout.root)


def test_without_the_program_git_it_is_skipped_with_the_reason(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotApplicable, match="git is not installed"):
        Repository.at(checkout.root)


@pytest.mark.parametrize(
    "line",
    [
        *(HOME + "voice.flac", f'path = "{HOME}x"', "/" + "Users/alice/x", "cd " + "/ro" + "ot/project"),
        *("C:" + "\\Users\\alice\\x", "D:/" + "Users/alice"),
    ],
)
def test_a_path_of_somebodys_machine_is_named_with_its_line(checkout: Checkout, line: str) -> None:
    repository = checkout.commit({"docs/a.md": f"one\n{line}\n", "b.md": "fine\n"})
    assert [found.where for found in machine_paths.findings(repository)] == ["docs/a.md:2"]


def test_the_path_of_this_checkout_is_found_whatever_it_is(checkout: Checkout) -> None:
    repository = checkout.commit({"a.py": f"ROOT = '{checkout.root}/data'\n", "b.py": f"OTHER = '{checkout.root}er'\n"})
    assert [found.where for found in machine_paths.findings(repository)] == ["a.py:1"]


@pytest.mark.parametrize(
    "line",
    [
        "/home/user/x",
        "/Users/you/x",
        '"$scratch"/root/var',
        "$HOME/root/x",
        "https://example.org/home/alice/x",
        "a/root/b",
    ],
)
def test_placeholders_and_other_paths_are_no_machines(checkout: Checkout, line: str) -> None:
    assert machine_paths.findings(checkout.commit({"a.md": line + "\n"})) == []


GOOD = {
    "Makefile": "demo: src/a.py\n\tpython -m src.a\nnames := x\n",
    "src/a.py": "",
    "src/b.toml": "",
    "docs/guide.md": "[a](../src/a.py) and `../src/a.py`, `src/*.toml`, `artifacts/latest`, `make demo`\n# A Title, here\n[t](#a-title-here)\n",
    "README.md": "[g](docs/guide.md#a-title-here) [web](https://example.org/x) `src/` `python -m src.a` `python -m json.tool`\n```\nmake demo\n```\n",
    ".github/workflows/ci.yml": "run: make demo\nuses: actions/checkout@v4\n# src/a.py\n",
    ".gitignore": "/artifacts/\n/src/made/\n",
    "docs/made.md": "`src/made` and `src/made/x.whl` come and go\n",
}


def test_references_to_what_exists_are_fine(checkout: Checkout) -> None:
    assert dead_references.findings(checkout.commit(GOOD)) == []


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("README.md", "x\n[g](docs/gone.md)\n", "link docs/gone.md leads nowhere"),
        ("README.md", "x\n[g](docs/guide.md#gone)\n", "link docs/guide.md#gone leads nowhere"),
        ("README.md", "x\nsee `src/gone.py` for more\n", "path src/gone.py leads nowhere"),
        ("README.md", "x\n`src/*.yaml`\n", "path src/*.yaml leads nowhere"),
        ("README.md", "```\nmake gone\n```\n", "target gone leads nowhere"),
        ("README.md", "x\n`python -m src.gone`\n", "module src.gone leads nowhere"),
        ("Makefile", "demo:\n\tpython src/gone.py\n", "path src/gone.py leads nowhere"),
        (".github/workflows/ci.yml", "x\n      - run: make gone\n", "target gone leads nowhere"),
        (".github/workflows/ci.yml", "x\n  path: src/gone/*.lock\n", "path src/gone/*.lock leads nowhere"),
    ],
)
def test_a_reference_to_nothing_is_named_with_its_line(checkout: Checkout, file: str, text: str, problem: str) -> None:
    found = dead_references.findings(checkout.commit(GOOD | {file: text}))
    assert [(item.where, item.problem) for item in found] == [(f"{file}:2", problem)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("takes @@SECONDS@@ s\n", "1: the placeholder @@SECONDS@@ was never filled in"),
        ("```\n@@made_by@@\n```\n", "2: the placeholder @@made_by@@ was never filled in"),
        ("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n", "3: the row has 3 cells, its table 2"),
        ("a | b\n--- | ---\n1\n", "3: the row has 1 cells, its table 2"),
        ("| a | b |\n|---|\n", "1: the header has 2 cells, the line below it 1: no table is shown"),
        ("| a | b |\n|---|:-:|\n| `x|y` | 2 |\n", "3: the row has 3 cells, its table 2"),
    ],
)
def test_what_an_editor_left_behind_is_named_with_its_line(checkout: Checkout, text: str, problem: str) -> None:
    assert [str(item) for item in dead_references.findings(checkout.commit({"docs/a.md": text}))] == [
        f"docs/a.md:{problem}"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "@@ -1,3 +1,3 @@ of a diff, an address a@@b\n",
        "| a | b |\n|---|---|\n| `x\\|y` | \\| |\n| | |\n\nx | y | z\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n# A | heading | here\n",
        "```\n| a | b |\n|---|---|\n| 1 |\n```\n",
        "a | pipe\n\n---\n1 | 2 | 3\n",
    ],
)
def test_escaped_pipes_fences_and_plain_pipes_are_no_broken_tables(checkout: Checkout, text: str) -> None:
    assert dead_references.findings(checkout.commit({"docs/a.md": text})) == []


def test_files_that_are_missing_are_named_with_who_needs_them(checkout: Checkout) -> None:
    files = {
        "acceptance/__init__.py": "",
        "acceptance/a.py": 'X = Path(__file__).parent.parent / "data" / "gone.json"\nY = Path(__file__).with_name("b.pt")\n',
        "acceptance/b.pt": b"\0",
        "acceptance/inner/module.py": "",
        "acceptance/lost.py": "",
        ".gitignore": "/wheels/\n",
        "tests/test_it.py": 'X = Path(__file__).with_name("gone.txt")\n',
        "pyproject.toml": '[project]\nreadme = "README.md"\nlicense-files = ["LICENSE"]\n',
        "LICENSE": "x",
        "docker/Dockerfile": "COPY wheels /y\nCOPY acceptance/a.py acceptance/gone.py /x/\nCOPY --from=packages /opt /opt\n",
    }
    checkout.commit(files)
    (checkout.root / "acceptance/lost.py").unlink()
    found = [(item.where, item.problem) for item in missing_files.findings(Repository.at(checkout.root))]
    assert found == [
        ("acceptance/lost.py", "tracked, but not in the working tree"),
        ("acceptance/a.py", "needs data/gone.json, which is not there"),
        ("pyproject.toml", "needs README.md, which is not there"),
        ("docker/Dockerfile", "needs acceptance/gone.py, which is not there"),
        ("acceptance/inner", "holds modules but no __init__.py, so an installation leaves them out"),
    ]


def test_line_ends_of_windows_hide_nothing(checkout: Checkout) -> None:
    files = {
        "docker/Dockerfile": "COPY gone.py /x/\r\nCOPY also/gone.py \\\r\n  there.py /x/\r\n",
        "there.py": "",
        "Makefile": "demo: there.py\r\n\ttrue\r\n",
        "README.md": "# Title\r\n\r\n`make gone` `make demo`\r\n\r\n|a|b|\r\n|-|-|\r\n|1|\r\n",
    }
    repository = checkout.commit(files)
    assert [item.problem.split()[1] for item in missing_files.findings(repository)] == ["gone.py,", "also/gone.py,"]
    assert [str(item) for item in dead_references.findings(repository)] == [
        "README.md:7: the row has 1 cells, its table 2",
        "README.md:3: target gone leads nowhere",
    ]


def test_the_projects_attributes_keep_line_ends_whatever_git_is_told(checkout: Checkout) -> None:
    files = {".gitattributes": (PROJECT_ROOT / ".gitattributes").read_bytes(), "a.sh": b"x\ny\n", "b.pt": b"x\r\ny\n"}
    checkout.commit(files)
    checkout.git("config", "core.autocrlf", "true")
    for name in ("a.sh", "b.pt"):
        (checkout.root / name).unlink()
    checkout.git("checkout", "--", ".")
    assert {name: (checkout.root / name).read_bytes() for name in files} == files


def test_a_pointer_is_found_and_a_text_about_pointers_is_none(checkout: Checkout) -> None:
    repository = checkout.commit(
        {"a.pt": POINTER, "b.pt": b"\xef\xbb\xbf" + POINTER.replace(b"\n", b"\r\n"), "c.md": b"text\n" + POINTER}
    )
    assert [item.where for item in lfs_pointers.findings(repository)] == ["a.pt", "b.pt"]


def test_a_file_that_is_tracked_and_ignored_is_named(checkout: Checkout) -> None:
    repository = checkout.commit({".gitignore": "*.log\n", "a.log": "x", "b.txt": "x"})
    assert [item.where for item in ignored_files.findings(repository)] == ["a.log"]


@pytest.mark.parametrize(
    "name", ["a:b", "con.txt", "COM\u00b9", "dir./x", "what?", "back\\slash", "x ", "deep/" * 40 + "x"]
)
def test_names_that_windows_refuses_are_named(name: str) -> None:
    assert [item.where for item in portable_names.findings(Repository(Path(), ["fine.py", name]))] == [name]


def test_names_that_differ_only_in_case_are_named() -> None:
    found = portable_names.findings(Repository(Path(), ["a/README.md", "a/readme.md", "b/README.md"]))
    assert [item.where for item in found] == ["a/README.md", "a/readme.md"]


def test_the_budget_counts_lines_by_suffix_and_in_total_and_leaves_out_what_is_exempt(checkout: Checkout) -> None:
    files = {"a.py": "x\n" * 11, "b.py": "x\n" * 10, "table.py": "x\n" * 90, "c.md": "x\n" * 20, "d.lock": "x\n" * 1000}
    repository = checkout.commit(files)
    budget = ContextBudgetPolicy(max_file_lines={".py": 10, ".md": 20}, max_total_lines=41, exempt=("table*",))
    assert [str(item) for item in context_budget.findings(repository, budget)] == [
        "a.py: 11 lines, the budget allows 10"
    ]
    tighter = ContextBudgetPolicy(max_file_lines={".py": 11, ".md": 20}, max_total_lines=40, exempt=("table*",))
    assert [str(item) for item in context_budget.findings(repository, tighter)] == [
        "all files together: 41 lines, the budget allows 40"
    ]
