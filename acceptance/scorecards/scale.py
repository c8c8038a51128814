"""What a score's scale was set on, and what no score judges: said with every scorecard, so that a grade claims no more than was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from acceptance.policy import MetricPolicy, Policy

NOT_JUDGED = (
    "whether a listener finds it natural or takes it for the speaker, melody and stress, long texts, and words other "
    "than by one weak recogniser"
)
_ONE_READER = (
    "The real clips are one reader's: for another voice, room or microphone neither points nor grades are calibrated "
    "(voice calibrate --reference DIR --impostors DIR)"
)


def sentences(parts: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """Where the points of each part begin and end and on which clips that was set, then whose clips those are."""
    sections = {name: section for name in parts if isinstance(section := getattr(policy, name, None), MetricPolicy)}
    found = [f"{name}: no points at {_end(section.floor, section, 'bad')}, all at {_end(section.ceiling, section, 'good')}"
             for name, section in sections.items()]  # fmt: skip
    calibrated = any("good_clips" in section.provenance for section in sections.values())
    return (
        *found,
        _ONE_READER
        if calibrated
        else "Calibrated on no clips: these are the built-in values (voice calibrate sets them)",
    )


def _end(value: float, section: MetricPolicy, side: str) -> str:
    """The value, and the clips whose median it is."""
    clips: Any = section.provenance.get(f"{side}_clips")
    what: Any = section.provenance.get(side, "clips")
    return f"{value:g}" if clips is None else f"{value:g} ({clips} clips: {what})"
