"""Guardrails beside the objective and alone: what a session says, what JUnit holds, and the exit status."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance import policy
from acceptance.guardrails import (
    NotApplicable,
    StoredRuns,
    empty_success,
    journal_intact,
    learning_margins,
    manifest_intact,
    resume,
    stale_files,
)
from acceptance.objective import PROJECT_ROOT
from acceptance.report.block import BEGIN
from acceptance.steps import GUARDRAILS, STEPS
from tests.acceptance.harness import Session, environment
from tests.acceptance.sessions.conftest import Bench

BROKEN = ("--threshold", "context_budget.max_total_lines=10")
BLOCKING = ("--threshold", "guardrails.blocking=[context_budget]")
BUDGET = "phase_0_guardrails.context_budget"

CUT = """python3 -c "
import json, pathlib
file = pathlib.Path('artifacts/latest/report.json')
report = json.loads(file.read_text())
rows = report['steps']
report['steps'] = {}
file.write_text(json.dumps(report))
" """
"""A program that leaves only some rows of a report."""


def row(session: Session, check: str) -> dict[str, object]:
    """What report.json says of a guardrail."""
    assert session.report is not None, session.stdout + session.stderr
    return next(row for row in session.report["guardrails"] if row["step"] == f"phase_0_guardrails.{check}")


def junit_case(junit: Path, check: str) -> ET.Element:
    return next(case for case in ET.parse(junit).getroot().iter("testcase") if case.attrib["name"] == f"test_{check}")


def alone(
    *arguments: str, select: str = "guardrails", env: dict[str, str | None] | None = None
) -> subprocess.CompletedProcess[str]:
    """A session of guardrails alone."""
    command = [sys.executable, "-m", "pytest", "acceptance", "-q", "-p", "no:cacheprovider", "-k", select, *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment(env), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def succeeded(make_bench: Callable[..., Bench]) -> Bench:
    """The workspace of `advised`."""
    return make_bench("succeeded")


@pytest.fixture(scope="module")
def advised(succeeded: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Path]:
    """A whole run that succeeds while a guardrail that blocks nothing fails, and its JUnit file."""
    junit = tmp_path_factory.mktemp("junit") / "junit.xml"
    return succeeded.run("-q", f"--junitxml={junit}", *BROKEN), junit


def test_an_advisory_failure_leaves_the_objective_its_success(advised: tuple[Session, Path]) -> None:
    session, _ = advised
    assert (session.block["objective_status"], session.returncode) == ("success", 0), session.stdout
    assert (session.block["cause"], session.block["next_unblock_action"]) == ("none", "none")
    assert "FAILURES" not in session.stdout


def test_an_advisory_failure_is_said_at_once_in_the_summary_and_in_the_reports(advised: tuple[Session, Path]) -> None:
    session, _ = advised
    assert "  guardrail context_budget (advisory): " in session.stdout.partition("[100%]")[0]
    assert "  advisory: context_budget: all files together: " in session.stdout.partition(BEGIN)[0]
    assert "advisory" in next(line for line in session.stdout.splitlines() if " passed" in line)
    found = row(session, "context_budget")
    assert (found["outcome"], found["cause"]) == ("advisory", "guardrail_failed")
    assert found["findings"][-1].endswith("the budget allows 10")
    assert [step["step"] for step in session.report["steps"]] == [step.id for step in STEPS]


def test_an_advisory_failure_is_a_skipped_testcase_with_its_findings(advised: tuple[Session, Path]) -> None:
    session, junit = advised
    case = junit_case(junit, "context_budget")
    assert case.find("failure") is None
    reason, findings = case.find("skipped").attrib["message"], row(session, "context_budget")["findings"]
    assert reason.startswith("advisory: guardrail_failed: ")
    assert findings and all(finding in reason for finding in findings)


def test_guardrails_without_anything_to_look_at_are_skipped_with_the_reason_and_block_nothing(
    advised: tuple[Session, Path],
) -> None:
    session, junit = advised
    assert (row(session, "stale_files")["outcome"], row(session, "stale_files")["reason"]) == (
        "skipped", "no earlier run in the workspace succeeded"
    )  # fmt: skip
    assert (
        junit_case(junit, "stale_files").find("skipped").attrib["message"]
        == "no earlier run in the workspace succeeded"
    )
    assert "stale_files" in next(
        line for line in session.stdout.splitlines() if line.startswith("  skipped: manifest_intact")
    )


def test_a_blocking_guardrail_blocks_an_objective_that_would_succeed(bench: Bench, tmp_path: Path) -> None:
    session = bench.run("-q", f"--junitxml={tmp_path / 'junit.xml'}", *BROKEN, *BLOCKING)
    assert (session.block["objective_status"], session.returncode) == ("blocked", 1)
    assert session.decision == ("environment_blocked", BUDGET, "guardrail_failed")
    assert "pytest acceptance -q" in session.block["next_unblock_action"]
    assert session.block["next_unblock_action"].endswith("-k guardrails")
    assert session.outcome("phase_5_report.report_deterministic") == "passed"
    failure = junit_case(tmp_path / "junit.xml", "context_budget").find("failure")
    assert failure.attrib["message"].startswith("environment_blocked/guardrail_failed: ")


def test_a_blocking_guardrail_does_not_hide_the_objectives_own_failure(bench: Bench) -> None:
    session = bench.run("-q", *BROKEN, *BLOCKING, env={"VOICE_ENV__TINY_MODE": "fail"})
    assert session.decision == ("train_failed", "phase_3_readiness.train_report_emitted", "trainer_exit_nonzero")
    assert row(session, "context_budget")["outcome"] == "failed"


def test_without_git_a_blocking_guardrail_is_skipped_and_the_objective_succeeds(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\necho 'fatal: not a git repository' >&2\nexit 128\n")
    (tmp_path / "git").chmod(0o755)
    path = f"{tmp_path}:{environment()['PATH']}"
    session = bench.run("-q", *BROKEN, *BLOCKING, env={"PATH": path})
    assert (session.block["objective_status"], session.returncode) == ("success", 0), session.stdout
    assert (row(session, "context_budget")["outcome"], row(session, "context_budget")["reason"]) == (
        "skipped", "git ls-files: fatal: not a git repository"
    )  # fmt: skip


def test_guardrails_that_do_not_block_may_be_left_out(bench: Bench) -> None:
    session = bench.run("-q", "-k", "not guardrails")
    assert (session.block["objective_status"], session.returncode) == ("success", 0)
    assert {found["outcome"] for found in session.report["guardrails"]} == {"not_run"}


def test_a_blocking_guardrail_that_does_not_exist_is_a_usage_error(bench: Bench) -> None:
    session = bench.run("-q", "--threshold", "guardrails.blocking=[fresh]")
    assert (session.returncode, session.block) == (4, {})
    assert "there is no guardrail called fresh" in session.stderr


def test_alone_they_are_red_when_one_fails_write_nothing_and_judge_no_objective(bench: Bench, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    session = alone(*bench.options(), *BROKEN, f"--junitxml={junit}", select="context_budget or lfs_pointers")
    assert session.returncode == 1, session.stdout
    assert BEGIN not in session.stdout
    assert "guardrails: 1 hold, 1 fail, 0 skipped; the objective was not judged: pytest acceptance -q" in session.stdout
    assert "the budget allows 10" in session.stdout
    assert "Traceback" not in session.stdout
    assert not (bench.workspace / "artifacts").exists()
    assert (
        junit_case(junit, "context_budget")
        .find("failure")
        .attrib["message"]
        .startswith("environment_blocked/guardrail_failed: ")
    )
    assert junit_case(junit, "lfs_pointers").find("failure") is None


def test_alone_the_next_step_is_said_whole_with_the_options_of_the_session(bench: Bench) -> None:
    session = alone(*bench.options(), *BROKEN, select="context_budget")
    (line,) = (line for line in session.stdout.splitlines() if line.startswith("  next: "))
    assert line == (
        "  next: A guardrail does not hold; correct what it names, then look again: pytest acceptance -q "
        '--objective="$OBJECTIVE" --workspace="$WORKSPACE" --threshold context_budget.max_total_lines=10 -k guardrails'
    )


def test_alone_nothing_but_skips_is_not_green(bench: Bench) -> None:
    session = alone(*bench.options(), "-rs", select="stale_files or manifest_intact")
    assert session.returncode == 5, session.stdout
    assert "guardrails: 0 hold, 0 fail, 2 skipped" in session.stdout


def test_alone_a_workspace_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    session = alone(f"--workspace={tmp_path / 'nowhere'}", select="stale_files")
    assert session.returncode == 4
    assert "no such directory" in session.stderr


def test_alone_they_are_green_when_some_hold_and_the_others_are_skipped_with_a_reason(bench: Bench) -> None:
    session = alone(*bench.options(), "-rs", select="lfs_pointers or stale_files or freshness")
    assert session.returncode == 0, session.stdout
    assert "no earlier run in the workspace succeeded" in session.stdout


@pytest.mark.parametrize("check", [step.check for step in GUARDRAILS])
def test_each_can_be_selected_by_its_name(check: str) -> None:
    assert check not in "".join(step.id for step in STEPS)
    assert not any(check in step.check for step in GUARDRAILS if step.check != check)


def test_an_invalid_policy_is_a_finding_when_alone_and_a_usage_error_for_the_objective(
    bench: Bench, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("learning: {min_improvement: much}\n")
    session = alone(*bench.options(), f"--policy={broken}", "-rs", select="policy_complete or context_budget")
    assert session.returncode == 1
    assert "broken.yaml:1: learning.min_improvement" in session.stdout
    assert "1 failed, 1 skipped" in session.stdout
    assert bench.run("-q", f"--policy={broken}").returncode == 4


def failing(bench: Bench) -> dict[str, str]:
    """Check -> its findings, of the guardrails that look at earlier runs."""
    runs, margins = StoredRuns(bench.workspace), policy.load().learning
    checks = {
        "empty_success": lambda: empty_success.findings(runs),
        "journal_intact": lambda: journal_intact.findings(runs.newest()),
        "manifest_intact": lambda: manifest_intact.findings(runs.newest_success(), bench.workspace),
        "learning_margins": lambda: learning_margins.findings(margins, runs),
        "stale_files": lambda: stale_files.findings(runs.newest_success(), bench.workspace),
        "resume": lambda: resume.findings(runs.newest_success(), runs),
    }
    found = {}
    for name, check in checks.items():
        with contextlib.suppress(NotApplicable):
            found[name] = "; ".join(map(str, check()))
    return {name: text for name, text in found.items() if text}


COPIES_THAT_COME_BACK = """
old=artifacts/runs/20000101T000000Z-00000a
cp -R $(readlink -f artifacts/latest) $old
mkdir -p $old/previous
echo old >$old/previous/checkpoint
echo '{"checkpoint": {"path": "out/checkpoints/voice.pt", "stamp": [1, 2]}}' >$old/previous/index.json
"""
"""An older run that died left a copy, which would be put back over the later success."""


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("echo x >>out/dataset/clip_2.wav", {"manifest_intact": "clip changed"}),
        ("rm out/dataset/clip_1.wav", {"manifest_intact": "cannot be read"}),
        ("rm out/dataset/clip_1.wav; mkfifo out/dataset/clip_1.wav", {"manifest_intact": "cannot be read: is not a regular file"}),
        ("echo ' ' >>out/dataset/manifest.json", {"manifest_intact": "not the manifest", "stale_files": "not the manifest"}),
        ("echo other >out/checkpoints/voice.pt", {"stale_files": "not the checkpoint"}),
        ("sed -i 's/\"run_id\": \"[^\"]*\"/\"run_id\": \"earlier\"/' out/status/train_status.json", {"stale_files": "status of another run"}),
        ("echo \"not json at all, but names $(readlink artifacts/latest)\" >out/status/train_status.json", {"stale_files": "no train status"}),
        ("echo \"[\\\"$(basename $(readlink artifacts/latest))\\\"]\" >out/status/train_status.json", {"stale_files": "status of another run"}),
        ("sed -i 's/\"bytes\": [0-9]*/\"bytes\": 1/' artifacts/latest/events.jsonl", {"journal_intact": "the journal gives"}),
        ("sed -i '2s/.*/no event/' artifacts/latest/events.jsonl", {"journal_intact": "cannot be rebuilt"}),
        (CUT.format("rows[:-5]"), {"journal_intact": "says nothing of 5 steps that the run had, the first of them phase_4"}),
        (CUT.format("[]"), {"journal_intact": "says nothing of 20 steps", "empty_success": "not every step"}),
        (CUT.format("None"), {"journal_intact": "says nothing of 20 steps", "empty_success": "not every step"}),
        ("rm artifacts/latest/report.json", {"journal_intact": "has no report.json"}),
        ("rm artifacts/latest/report.json; sed -i '$d' artifacts/latest/events.jsonl", {}),
        ("sed -i 's/\"outcome\": \"passed\"/\"outcome\": \"skipped\"/' artifacts/latest/report.json", {"empty_success": "not every step"}),
        ("sed -i 's/\"step\": 100,/\"step\": 40,/' artifacts/latest/events.jsonl", {"resume": "step 40 of 100"}),
        (COPIES_THAT_COME_BACK, {"resume": "its copies of earlier outputs would replace those of run"}),
        ("sed -i 's/\"heldout_loss_trained\": 1.0/\"heldout_loss_trained\": 3.9/' artifacts/latest/events.jsonl", {"learning_margins": "2.50%"}),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("advised")
def test_what_changed_after_a_good_run_is_found(
    succeeded: Bench,
    make_bench: Callable[..., Bench],
    damage: str,
    expected: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:
    bench = make_bench(f"damaged-{request.node.callspec.indices['damage']}")
    shutil.rmtree(bench.workspace)
    shutil.copytree(succeeded.workspace, bench.workspace, symlinks=True)
    subprocess.run(["sh", "-ec", damage], cwd=bench.workspace, check=True)
    found = failing(bench)
    assert bool(found) == bool(expected) and all(text in found.get(check, "") for check, text in expected.items()), (
        found
    )
    assert found.keys() - expected.keys() <= {"journal_intact"}


@pytest.mark.usefixtures("advised")
def test_a_good_run_is_found_good_also_beside_the_session_that_looks_at_it(succeeded: Bench) -> None:
    assert failing(succeeded) == {}
    assert row(succeeded.run("-q", "-k", "guardrails or audio_exists"), "manifest_intact")["outcome"] == "passed"
    assert failing(succeeded) == {}


@pytest.mark.usefixtures("advised")
def test_a_report_of_a_harness_with_other_steps_is_skipped_and_not_found_cut(
    succeeded: Bench, make_bench: Callable[..., Bench]
) -> None:
    bench = make_bench("other-steps")
    shutil.rmtree(bench.workspace)
    shutil.copytree(succeeded.workspace, bench.workspace, symlinks=True)
    step = "phase_4_artifacts.learned"
    subprocess.run(
        ["sh", "-ec", CUT.format(f"[row for row in rows if row['step'] != '{step}']")], cwd=bench.workspace, check=True
    )
    journal = bench.workspace / "artifacts/latest/events.jsonl"
    journal.write_text(
        journal.read_text(encoding="utf-8").replace(f'"{step}"', '"phase_4_artifacts.older"'), encoding="utf-8"
    )
    with pytest.raises(NotApplicable, match="made by a harness with other steps"):
        journal_intact.findings(StoredRuns(bench.workspace).newest())


@pytest.mark.usefixtures("advised")
def test_clips_beyond_the_budget_are_no_pass_and_a_finding_says_how_many_were_hashed(
    succeeded: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = StoredRuns(succeeded.workspace)
    clips = sorted((succeeded.workspace / "out/dataset").glob("*.wav"))
    monkeypatch.setattr(manifest_intact, "_BUDGET_BYTES", clips[0].stat().st_size)
    with pytest.raises(
        NotApplicable,
        match=rf"^only 1 of {len(clips)} clips were hashed .* MiB\), all of them unchanged; .*voice manifest verify ",
    ):
        manifest_intact.findings(runs.newest_success(), succeeded.workspace)
