"""Guardrails: checks of the repository, the threshold policy and the latest run that need neither Docker nor a training.

Each module holds one check: `findings(...)` returns what does not hold (an empty list where all does) and raises NotApplicable where nothing
can be said. The tests of `acceptance/test_0_guardrails.py` are named after the modules.
"""

from acceptance.guardrails.finding import Finding, NotApplicable
from acceptance.guardrails.repository import Repository
from acceptance.guardrails.stored_run import StoredRun, StoredRuns

__all__ = ["Finding", "NotApplicable", "Repository", "StoredRun", "StoredRuns"]
