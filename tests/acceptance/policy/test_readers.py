"""A key of the policy that nothing reads is a promise that nobody keeps: each has a reader, or says here why it has none."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import cache

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.policy import Policy, schema
from tests.acceptance.policy.samples import KEYS
from trainer.evaluation.faults import SignalLimits

UNREAD = {
    "*.description": "for whoever reads the file or `voice thresholds`",
    "production.max_retries": "nothing is produced yet; the file says what a production would take",
}


@cache
def code_that_knows_the_policy() -> str:
    """The project's modules that name the policy, without the package that defines it."""
    paths = [
        path
        for path in sorted((PROJECT_ROOT / "acceptance").rglob("*.py"))
        if "policy" not in path.relative_to(PROJECT_ROOT).parts
    ]
    return "\n".join(
        text
        for path in paths
        if re.search("policy|thresholds", text := path.read_text(encoding="utf-8"), re.IGNORECASE)
    )


def methods_with(leaf: schema.Leaf) -> list[str]:
    """Methods of the leaf's section that go by it."""
    section, name = type(getattr(Policy(), leaf.attributes[0])), leaf.attributes[-1]
    found = []
    for method, function in inspect.getmembers(section, inspect.isfunction):
        source = "" if method.startswith("__") else inspect.getsource(function)
        as_limit = "fields(SignalLimits)" in source and name in {field.name for field in fields(SignalLimits)}
        whole = "asdict(self)" in source
        if as_limit or whole or re.search(rf"\bself\.{name}\b", source):
            found.append(method)
    return found


def readers(key: str) -> list[str]:
    """Ways in which the code outside acceptance/policy reads a key."""
    leaf = schema.leaves()[key]
    attribute = leaf.attributes[min(1, len(leaf.attributes) - 1)]
    ways = [rf"\.{attribute}\b(?!\()", *(rf"\.{method}\(" for method in methods_with(leaf))]
    return [way for way in ways if re.search(way, code_that_knows_the_policy())]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_has_a_reader_or_is_named_here_with_the_reason(key: str) -> None:
    excused = any(fnmatchcase(key, pattern) for pattern in UNREAD)
    assert bool(readers(key)) is not excused, readers(key)
