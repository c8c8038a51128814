"""What `voice calibrate` writes is what the guardrail recomputes from its provenance."""

from __future__ import annotations

import re
from pathlib import Path

from acceptance import policy
from acceptance.guardrails import policy_calibrated
from tests.acceptance.cli import test_calibrate as command

site = command.site
"""The fixture of the command's own tests."""


def found(file: Path) -> list[str]:
    return [str(each) for each in policy_calibrated.findings(policy.load(file), file)]


def test_a_calibrated_policy_holds_until_a_number_in_it_is_changed(site: Path) -> None:
    paths = command.evaluations(site, (2.5, 2.55, 2.6))
    assert command.run(site, *command.evidence(site), "--runs", *paths).exit_code == 0
    file = site / "rules.yaml"
    text = file.read_text(encoding="utf-8")
    assert text != policy.THRESHOLDS.read_text(encoding="utf-8")
    assert found(file) == []
    for key, other in (("pass", 0.7), ("floor", -0.9), ("ceiling", 0.9999), ("min_difference", 0.7)):
        file.write_text(
            re.sub(rf"^  {key}: ", f"  {key}: {other} # not ", text, count=1, flags=re.MULTILINE), encoding="utf-8"
        )
        assert [f"{key} = " in each for each in found(file)] == [True]
