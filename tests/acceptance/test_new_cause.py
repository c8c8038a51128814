"""A new cause is one row: added to the table, it arrives everywhere."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from acceptance.objective import PROJECT_ROOT

SESSION = """
import json, sys
from trainer.job import contract

{added}
from acceptance.evidence import classify
from acceptance.cli.main import main as voice
from acceptance.failure import Failure, action_for
from acceptance.record import record
from acceptance.report import block
from acceptance.report.failure_text import FailureText
from acceptance.verdict import Outcome, StepResult
from tests.acceptance import records
from trainer.job.ending import ended

STEP = "phase_3_readiness.exit_clean"
said = [contract.failure_line("microphone_muted", "the recording is silence")]
error = classify.failure_of(classify.Evidence(exit_code=10, text=said))
failure = Failure(failure_class=error.failure_class, cause=error.cause, message=error.message)
result = StepResult(step=STEP, outcome=Outcome.FAILED, failure=failure)
run = record.from_events([records.session_started(), record.finished(result, seconds=0.1)])
action = action_for(failure.cause, records.ACTION_FIELDS)
junit = FailureText(failure, step=STEP, action=action, location=("f", 1, "t"))
print(json.dumps({{
    "job": ended(10, said, {{}})[1]["cause"],
    "report": block.values(run),
    "document": block.document(run)["failure"],
    "junit": junit.reprcrash.message,
}}))
sys.argv[1:] = ["causes"]
voice()
"""
OF_THE_JOB = """
contract.JOB_CAUSES["microphone_muted"] = contract.JobCause(
    status=contract.ExitStatus.DATA, action="Switch the microphone on and record again, then look at it: ls -l {audio}"
)
"""
ACTION = "Switch the microphone on and record again, then look at it: ls -l "
AUDIO = "data/knowledge_audio_source/auntie_dottie.flac"


def session(added: str) -> subprocess.CompletedProcess[str]:
    code = SESSION.format(added=added)
    return subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def arrived() -> subprocess.CompletedProcess[str]:
    return session(OF_THE_JOB)


def test_a_new_row_arrives_in_the_jobs_report_in_the_verdict_and_in_junit(
    arrived: subprocess.CompletedProcess[str],
) -> None:
    assert arrived.returncode == 0, arrived.stderr
    found = json.loads(arrived.stdout.splitlines()[0])
    assert found["job"] == "microphone_muted"
    assert found["report"]["root_cause_class"] == "data_blocked"
    assert found["report"]["cause"] == "microphone_muted"
    assert found["report"]["next_unblock_action"] == ACTION + AUDIO
    assert (found["document"]["class"], found["document"]["cause"]) == ("data_blocked", "microphone_muted")
    assert "the recording is silence" in found["document"]["message"]
    assert found["junit"].startswith("data_blocked/microphone_muted: ")
    assert found["junit"].endswith(f"Next: {ACTION}{AUDIO}")


def test_a_new_row_is_printed_by_voice_causes_from_which_the_page_is_made(
    arrived: subprocess.CompletedProcess[str],
) -> None:
    assert f"| `microphone_muted` | data_blocked | {ACTION}<audio> |" in arrived.stdout.splitlines()


def test_without_its_row_a_stated_cause_counts_for_nothing() -> None:
    lines = session("").stdout.splitlines()
    found = json.loads(lines[0])
    assert (found["report"]["root_cause_class"], found["report"]["cause"]) == ("data_blocked", "unclassified")
    assert not any("microphone_muted" in line for line in lines[1:])
