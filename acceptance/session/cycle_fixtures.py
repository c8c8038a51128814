"""Fixtures of phases 6 and 8: the voice that this session has certified, evaluated, scored, and decided upon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.causes import FailureClass
from acceptance.failure import HarnessError
from acceptance.session import spending
from acceptance.session.run_session import RunSession
from acceptance.session.step_failures import as_step_failures
from acceptance.verdict import ObjectiveStatus

if TYPE_CHECKING:
    from acceptance.scorecards.comparison import Comparison
    from acceptance.scorecards.recording import RecordedScore
    from acceptance.voices.promoting import Decision

EVALUATION = "evaluation"
"""In the run's directory."""
_LINES = 4


@pytest.fixture(scope="session")
def evaluation(request: pytest.FixtureRequest, run: RunSession) -> Path:
    """The evaluation file: sentences that the certified voice speaks, judged against held-out clips of its speaker."""
    from acceptance.production import cores, voice_source
    from acceptance.voices import store
    from acceptance.voices.certificate import certificate
    from trainer.evaluation import of_checkpoint

    given = request.config.option.texts
    with (
        as_step_failures(FailureClass.TRAIN_FAILED, unknown="evaluation_failed"),
        spending.tracked(run, "evaluation"),
    ):
        if run.record.voice_verdict().status is not ObjectiveStatus.SUCCESS:
            missing = ", ".join(run.record.voice_verdict().not_run) or "a step that failed"
            raise HarnessError(
                f"this session certified no voice, so none is kept or evaluated: {missing} did not pass; run every step, without -k and -m",
                cause="evaluation_failed",
            )
        source = voice_source.of_record(run.workspace, run.workspace / run.settings.checkpoint, run.record)
        assert source.manifest is not None, "a certified voice has a dataset"
        asked = of_checkpoint.SpokenEvaluation(
            checkpoint=store.keep(run.workspace, source.checkpoint, certificate(run.record)),
            manifest=source.manifest,
            folder=run.run_dir / EVALUATION,
            limits=run.policy.audio.signal_limits(),
            recogniser=run.policy.intelligibility.recogniser,
            processes=cores.usable(),
            **({} if given is None else {"sentences": _sentences(request.config.invocation_params.dir / given)}),
        )
        asked.answer(note=lambda line: run.screen.line(f"  evaluation: {line}"), on_total=_counted(run.screen.line))
    return asked.folder / of_checkpoint.EVALUATION


@pytest.fixture(scope="session")
def scored(run: RunSession, evaluation: Path) -> RecordedScore:
    """The scorecard of that evaluation, in the history of the workspace."""
    from acceptance.scorecards import recording

    with as_step_failures(FailureClass.ENVIRONMENT_BLOCKED, unknown="evaluation_failed"):
        found = recording.record(
            evaluation,
            run.policy,
            workspace=run.workspace,
            checkpoint=run.workspace / run.settings.checkpoint,
            manifest=run.workspace / run.settings.manifest,
        )
    scored = found.run
    run.recorder.fact(
        "evaluation",
        {
            "run_id": scored.run_id,
            "in_run": run.record.run_id,
            "score": round(scored.score, 6),
            "grade": scored.grade,
            "evaluation_sha256": scored.evaluation_sha256,
            "utterances": len(scored.rows),
        },
    )
    return found


@pytest.fixture(scope="session")
def decision(run: RunSession) -> Decision:
    """What is decided about the voice; where it may come into use, it is in use when this returns."""
    from acceptance.costs.events import Made
    from acceptance.report import cycle_block
    from acceptance.scorecards.comparison import Recommendation
    from acceptance.voices import consent, promoting, registry

    with (
        as_step_failures(FailureClass.ENVIRONMENT_BLOCKED, unknown="promotion_failed"),
        spending.tracked(run, "promotion") as tally,
    ):
        history, name = promoting.scored_runs(run.workspace), run.settings.name
        voice = history.find(str(run.record.facts["evaluation"]["run_id"]))
        found = promoting.decide(run.workspace, name, voice, history, run.policy, given=None, today=consent.today())
        promotes = found.recommendation is Recommendation.PROMOTE and not found.in_use
        if promotes:
            registry.put(run.workspace, name, found.record)
        if promotes or found.in_use:  # in use already: a kill may have lost its count
            tally.made = Made(promoted=1, of=found.record.checkpoint_sha256)
    run.recorder.fact("comparison", comparison_fact(found.record.before, found.comparison))
    run.recorder.fact(
        "promotion",
        {
            "recommendation": cycle_block.PROMOTE if promotes else cycle_block.HOLD,
            "answer": cycle_block.IN_USE if found.in_use else found.recommendation.value,
            "reasons": list(found.reasons),
            "consent": list(found.consent_problems),
            "candidate": found.record.checkpoint_sha256,
            "before": found.record.before,
        },
    )
    return found


def comparison_fact(with_version: str | None, found: Comparison | None) -> dict[str, object]:
    """What is kept of a comparison with the version in use; only that version's hash where there is nothing to compare."""
    if found is None:
        return {"with": with_version}
    return {
        "with": with_version, "with_run": found.a.run_id, "answer": found.recommendation.value, "prompts": found.prompts,
        "difference": found.score.value, "low": found.score.low, "high": found.score.high,
    }  # fmt: skip


def _sentences(path: Path) -> tuple[str, ...]:
    """Those of a file, one a line, blank lines left out; raises DataError."""
    from trainer.files import text_file

    return tuple(line.strip() for line in text_file.lines(text_file.read(path)) if line.strip())


def _counted(write_line: Callable[[str], None]) -> Callable[[int], Callable[[], None]]:
    """Writes a line for about every fourth part of what is judged."""

    def on_total(total: int) -> Callable[[], None]:
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            if done * _LINES // total > (done - 1) * _LINES // total:
                write_line(f"  evaluation: {done}/{total} clips")

        return step

    return on_total
