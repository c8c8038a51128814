"""`voice announce`: one issue for a grade that crossed the threshold, none for any other, and never the same one twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from acceptance.cli.main import voice
from acceptance.objective import PROJECT_ROOT
from acceptance.scorecards import crossing, runs
from tests.acceptance.harness import environment
from tests.acceptance.scorecards.evaluations import clip, history, policy_file, run

GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$GH_LOG"
case "$2" in
  list) cat "$GH_LOG.titles" 2>/dev/null || echo '[]' ;;
  create) cat > "$GH_LOG.body"; printf '[{"title": "%s"}]' "$4" > "$GH_LOG.titles"; echo https://github.example/1 ;;
esac
exit "${GH_STATUS:-0}"
"""
"""Stands in for GitHub's program: it remembers the title that it was given."""


def version(run_id: str, similarity: float, **options) -> runs.Run:
    return run(
        [clip(number, similarity=similarity, word_edits=0, overall=3.2) for number in range(12)], run_id, **options
    )


WEAK, GOOD = 0.60, 0.90


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A weak voice, then a good one; between them a good one of another speaker."""
    other = {"reference": "0" * 64}
    history(tmp_path, version("first", WEAK), version("elsewhere", GOOD, pins=other), version("second", GOOD))
    return tmp_path


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of what `gh` was asked."""
    program = tmp_path / "bin/gh"
    program.parent.mkdir()
    program.write_text(GH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GH_LOG", str(tmp_path / "gh.log"))
    return tmp_path / "gh.log"


def announce(workspace: Path, *arguments: str) -> Result:
    command = ["announce", *arguments, "--workspace", str(workspace), "--policy", str(policy_file(workspace))]
    return CliRunner().invoke(voice, command)


def test_a_dry_run_prints_title_and_comparison_and_opens_nothing(workspace: Path, gh: Path) -> None:
    shown = announce(workspace, "--dry-run")
    assert shown.exit_code == 0, shown.output
    title = shown.output.splitlines()[0]
    assert re.fullmatch(r"second reaches grade [AB] \(was [CDF]\); a promotion needs B", title)
    assert "# promote: second second against first first" in shown.output and "voice promote second" in shown.output
    assert not gh.exists()


def test_the_issue_is_opened_once(workspace: Path, gh: Path) -> None:
    opened = announce(workspace)
    assert (opened.exit_code, opened.output) == (0, "https://github.example/1\n")
    title = json.loads((gh.parent / "gh.log.titles").read_text())[0]["title"]
    assert title.startswith("second reaches grade") and "# promote:" in (gh.parent / "gh.log.body").read_text()
    again = announce(workspace)
    assert (again.exit_code, again.output) == (0, "it was opened before\n")
    assert [line.split()[:2] for line in gh.read_text().splitlines()] == [
        ["issue", "list"],
        ["issue", "create"],
        ["issue", "list"],
    ]


def test_a_pull_request_is_asked_for_by_its_option(workspace: Path, gh: Path) -> None:
    assert announce(workspace, "--pull-request").exit_code == 0
    assert [line.split()[:2] for line in gh.read_text().splitlines()] == [["pr", "list"], ["pr", "create"]]


@pytest.mark.parametrize("arguments", [["first"], ["second", "--against", "elsewhere"]])
def test_a_grade_that_stays_on_its_side_is_told_to_nobody(workspace: Path, gh: Path, arguments: list[str]) -> None:
    found = announce(workspace, *arguments)
    assert (found.exit_code, gh.exists()) == (1, False) and "no grade crossed" in found.output


def test_a_fall_is_told_too_and_the_first_run_of_a_voice_counts(workspace: Path) -> None:
    history(workspace, version("third", WEAK))
    fallen = announce(workspace, "--dry-run")
    assert fallen.output.startswith("third falls to grade") and "voice versions" in fallen.output
    first = announce(workspace, "elsewhere", "--dry-run")
    assert first.exit_code == 0 and "It is the first scored run of this voice." in first.output
    assert "# Scorecard of elsewhere" in first.output


def test_other_instruments_are_named_and_the_scorecard_stands_alone(workspace: Path) -> None:
    history(workspace, version("fourth", WEAK, pins={"recogniser": "0" * 64}))
    assert "It cannot be compared with second" in announce(workspace, "--dry-run").output


def test_todays_policy_grades_both_runs(workspace: Path) -> None:
    raised = announce(
        workspace, "--dry-run", "--threshold", "scorecard.grades.A=99.9", "--threshold", "scorecard.grades.B=99.8"
    )
    assert raised.exit_code == 1


def test_a_body_fits_githubs_limit(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossing, "MOST_CHARACTERS", 500)
    assert len(json.loads(announce(workspace, "--dry-run", "--json").output)["body"]) == 500


def test_what_gh_refuses_is_one_error_with_the_next_step(
    workspace: Path, gh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GH_STATUS", "4")
    failed = announce(workspace)
    assert failed.exit_code == 2 and "gh issue list" in failed.stderr and "gh auth status" in failed.stderr
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "gh, GitHub's program, is not installed" in announce(workspace).stderr


@pytest.mark.parametrize(
    ("program", "green"),
    [("print('{\"crossed\": false}'); raise SystemExit(1)", True), ("import absent_package", False)],
)
def test_the_workflow_is_green_only_with_an_answer(tmp_path: Path, program: str, green: bool) -> None:
    workflow = YAML(typ="safe").load((PROJECT_ROOT / ".github/workflows/grade.yml").read_text(encoding="utf-8"))
    package = tmp_path / "acceptance"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "cli.py").write_text(program)
    script = workflow["jobs"]["announce"]["steps"][-1]["run"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "WORKSPACE": ".", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode == 0) is green, done.stderr


def test_it_needs_no_more_packages_than_the_workflow_installs(workspace: Path) -> None:
    workflow = (PROJECT_ROOT / ".github/workflows/grade.yml").read_text(encoding="utf-8")
    found = re.search(r"image\.txt\n\s+(.+)\n", workflow)
    assert found is not None
    program = f"""
import importlib.metadata, sys
allowed, waiting = set(), {found[1].split()!r}
while waiting:  # with what they bring
    name = waiting.pop()
    if name not in allowed:
        allowed.add(name)
        try:
            wants = importlib.metadata.requires(name) or ()
        except importlib.metadata.PackageNotFoundError:
            continue
        waiting += [one.split(";")[0].split("[")[0].rstrip("<>=!~.0123456789 ,)").strip(" (") for one in wants if "extra ==" not in one]
allowed = {{name.lower().replace("_", "-") for name in allowed}}
owners = importlib.metadata.packages_distributions()

class Absent:
    def find_spec(self, name, path=None, target=None):
        owned = owners.get(name)
        if owned and not any(one.lower().replace("_", "-") in (*allowed, "voice-acceptance") for one in owned):
            raise ModuleNotFoundError("No module named " + name, name=name)

sys.meta_path.insert(0, Absent())
try:
    import torch
except ModuleNotFoundError:
    from acceptance.cli.main import run
    sys.exit(run(["announce", "--dry-run", "--workspace", {str(workspace)!r}]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT_ROOT,
        env=environment(),
    )
    assert done.returncode == 0 and done.stdout.startswith("second reaches grade"), done.stdout + done.stderr
