"""The threshold policy: every number that a verdict depends on, read from one file.

`load` merges the command line over acceptance/thresholds.yaml over the built-in defaults of `sections`. A missing file means the defaults, with
a notice; a malformed one raises PolicyError.
"""

from acceptance.policy.document import PolicyError
from acceptance.policy.effective import Policy
from acceptance.policy.loading import THRESHOLDS, load
from acceptance.policy.sections import ContextBudgetPolicy, FreshFile, LearningPolicy, MetricPolicy

__all__ = [
    "THRESHOLDS",
    "ContextBudgetPolicy",
    "FreshFile",
    "LearningPolicy",
    "MetricPolicy",
    "Policy",
    "PolicyError",
    "load",
]
