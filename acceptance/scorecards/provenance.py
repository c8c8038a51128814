"""Thresholds hold for the models that they were set with: where an evaluation was measured by others, that is said."""

from __future__ import annotations

from collections.abc import Mapping

from acceptance.policy import MetricPolicy, Policy
from acceptance.scorecards import parts

_SHOWN = 12


def notices(pins: Mapping[str, str], policy: Policy) -> tuple[str, ...]:
    """A sentence for every pin of the evaluation that differs from the one in the provenance of a section with weight."""
    found = []
    for name in parts.PARTS:
        section = getattr(policy, name, None)
        if not isinstance(section, MetricPolicy) or not policy.scorecard.weight(name):
            continue
        found += [
            f"thresholds of {name} were set with another {pin} ({str(value)[:_SHOWN]}, measured with {pins[pin][:_SHOWN]}): calibrate again"
            for pin, value in section.provenance.items()
            if pin in pins and value is not None and value != pins[pin]
        ]
    return tuple(found)
