"""Whether two runs differ in their voices at all: one checkpoint twice, or clips that were spoken in other ways, promote nothing."""

from __future__ import annotations

from acceptance.scorecards.runs import Run
from trainer.synthesis.delivery import differences

_SHOWN = 12
_AGAIN = "voice say --lines --file TEXTS --output-dir DIR, then voice evaluate and voice scorecard"


def doubts(first: Run, second: Run) -> tuple[str, ...]:
    """Why a difference between the two says nothing for the second's checkpoint; empty if nothing does."""
    found = []
    if first.checkpoint_sha256 is not None and first.checkpoint_sha256 == second.checkpoint_sha256:
        found.append(f"the two are one checkpoint, {first.checkpoint_sha256[:_SHOWN]}: there is nothing to promote")
    unknown = [name for name, run in (("first", first), ("second", second)) if run.speaking is None]
    if unknown:
        found.append(
            f"how the clips of the {' and the '.join(unknown)} were spoken is not recorded; speak them again: {_AGAIN}"
        )
    elif differing := differences(first.speaking, second.speaking):
        found.append(
            f"the two were spoken differently ({differing}, first and second); speak both with equal settings: {_AGAIN}"
        )
    return tuple(found)
