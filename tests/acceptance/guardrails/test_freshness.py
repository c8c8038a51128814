"""Freshness goes by the date of the last commit; where dates are missing the answer is a reason, never a pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.guardrails import NotApplicable, freshness
from acceptance.policy import FreshFile
from tests.acceptance.guardrails.conftest import DAY_S, EPOCH, Checkout

CARD = FreshFile(path="card.md", max_age_days=30, reason="the numbers age")


@pytest.mark.parametrize(("days", "fresh"), [(0, True), (30, True), (31, False), (400, False)])
def test_the_last_commit_of_the_file_counts_not_the_newest_of_all(checkout: Checkout, days: int, fresh: bool) -> None:
    checkout.commit({"card.md": "x"}, at=EPOCH)
    checkout.commit({"other.md": "x"}, at=EPOCH + 20 * DAY_S)
    found = freshness.findings(checkout.root, [CARD], now=EPOCH + days * DAY_S)
    assert (found == []) is fresh
    assert fresh or str(found[0]) == f"card.md: last committed {days} days ago, allowed are 30: the numbers age"


def test_a_new_commit_makes_it_fresh_again(checkout: Checkout) -> None:
    checkout.commit({"card.md": "x"}, at=EPOCH)
    checkout.commit({"card.md": "y"}, at=EPOCH + 100 * DAY_S)
    assert freshness.findings(checkout.root, [CARD], now=EPOCH + 110 * DAY_S) == []


def test_the_time_that_the_file_system_gives_is_of_no_account(checkout: Checkout) -> None:
    checkout.commit({"card.md": "x"}, at=EPOCH)
    (checkout.root / "card.md").touch()
    assert freshness.findings(checkout.root, [CARD], now=EPOCH + 100 * DAY_S) != []


def test_a_file_that_is_missing_or_was_never_committed_is_not_fresh(checkout: Checkout) -> None:
    checkout.commit({"other.md": "x"})
    assert "does not exist" in freshness.findings(checkout.root, [CARD])[0].problem
    checkout.write({"card.md": "x"})
    assert "never committed" in freshness.findings(checkout.root, [CARD])[0].problem


def test_a_shallow_clone_is_skipped_with_the_reason(checkout: Checkout, tmp_path: Path) -> None:
    for day in range(3):
        checkout.commit({"card.md": str(day)}, at=EPOCH + day * DAY_S)
    checkout.git("clone", "--quiet", "--depth=1", checkout.root.as_uri(), str(tmp_path / "shallow"))
    with pytest.raises(NotApplicable, match="shallow"):
        freshness.findings(tmp_path / "shallow", [CARD])


def test_no_history_no_repository_and_no_files_are_skipped_with_the_reason(checkout: Checkout, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="git rev-parse"):
        freshness.findings(checkout.root, [CARD])
    with pytest.raises(NotApplicable, match="not a git repository"):
        freshness.findings(tmp_path, [CARD])
    with pytest.raises(NotApplicable, match="names no file"):
        freshness.findings(checkout.root, [])


def test_a_file_that_git_cannot_look_up_is_a_finding_and_hides_no_other(checkout: Checkout) -> None:
    checkout.commit({"card.md": "x"}, at=EPOCH)
    outside = FreshFile(path="../other.md", max_age_days=30, reason="ages")  # no policy file can say so
    found = freshness.findings(checkout.root, [outside, CARD], now=EPOCH + 31 * DAY_S)
    assert [item.where for item in found] == ["../other.md", "card.md"]
    assert "cannot be looked up: git log: fatal: " in found[0].problem
