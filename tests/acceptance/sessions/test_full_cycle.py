"""Phases 6 and 8 in real sessions: run only when asked for; a voice comes into use, or is held with a reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acceptance.report import cycle_block
from acceptance.steps import FULL_CYCLE, optional_steps
from acceptance.voices import registry, store
from tests.acceptance.harness import Session
from tests.acceptance.sessions.conftest import CONSENT, LENIENT, Bench

STEPS = [step.id for step in optional_steps(FULL_CYCLE)]
PROMOTES = CONSENT.replace('"produce"', '"produce", "promote"')
EASY = (
    *LENIENT, "scorecard.promotion_minimum_grade=D", "speaker_similarity.floor=-1", "speaker_similarity.pass=-1", "speaker_similarity.warn=-0.9",
    "speech_realism.floor=1", "speech_realism.pass=1", "speech_realism.warn=1.1", "intelligibility.floor=10", "intelligibility.pass=10",
    "intelligibility.warn=9", "production.max_rejected_share=1.0",
)  # fmt: skip
"""An untrained voice is good enough."""


def cycle(bench: Bench, *arguments: str) -> Session:
    (bench.workspace / "texts.txt").write_text("Good morning.\nIt is cold.\n", encoding="utf-8")
    options = [word for text in EASY for word in ("--threshold", text)]
    return bench.run("--full-cycle", f"--texts={bench.workspace / 'texts.txt'}", *options, *arguments)


def values(session: Session) -> dict[str, str]:
    """The cycle block."""
    text = session.stdout.partition(cycle_block.BEGIN)[2].partition(cycle_block.END)[0]
    return dict(line.split(": ", 1) for line in text.strip().splitlines())


def outcomes(session: Session) -> list[str]:
    return [session.outcome(step) for step in STEPS]


@pytest.fixture(scope="module")
def promoted(make_speaking: Callable[..., Bench]) -> tuple[Bench, Session]:
    """A first cycle whose voice comes into use."""
    bench = make_speaking("promoted", consent=PROMOTES)
    return bench, cycle(bench)


def test_the_first_good_voice_comes_into_use(promoted: tuple[Bench, Session]) -> None:
    bench, session = promoted
    assert session.returncode == 0, session.stdout + session.stderr
    assert session.block["objective_status"] == "success" and outcomes(session) == ["passed"] * len(STEPS)
    found, sha256 = values(session), session.block["checkpoint_sha256"]
    assert (found["cycle_status"], found["recommendation"], found["promoted_version"]) == ("success", "promote", sha256)
    standing = registry.current(bench.workspace, "tiny")
    assert standing is not None and standing.checkpoint_sha256 == sha256 and store.holds(bench.workspace, sha256)
