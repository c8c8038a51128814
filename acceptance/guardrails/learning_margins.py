"""Known failure: a checkpoint that learned nothing was taken for a voice. The margins ask for something, and the latest good run holds them."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from acceptance.evidence import learning_proof
from acceptance.evidence.train_status import Learning
from acceptance.failure import TrainFailed
from acceptance.guardrails.finding import Finding, NotApplicable
from acceptance.guardrails.stored_run import StoredRuns
from acceptance.policy import LearningPolicy


def findings(policy: LearningPolicy, runs: StoredRuns) -> list[Finding]:
    """Both margins are above zero, and what the latest successful run learned holds them as they are today."""
    margins = {"learning.min_improvement": policy.min_improvement, "learning.min_control_gap": policy.min_control_gap}
    found = [
        Finding(key, f"{value} lets a voice pass that learned nothing") for key, value in margins.items() if value <= 0
    ]
    try:
        run = runs.newest_success()
        claimed = run.record.status.get("learning")
        learning_proof.check(TypeAdapter(Learning).validate_python(claimed), policy)
    except NotApplicable:
        pass  # the margins were judged all the same
    except (TrainFailed, ValidationError, ValueError) as error:
        found.append(Finding(run.id, f"it was judged a success, but today: {str(error).splitlines()[0]}"))
    return found
