"""A run's page shows the scorecards of its own checkpoint, the newest first, and of no other."""

from __future__ import annotations

from acceptance.record.record import RunRecord
from acceptance.report import run_page
from acceptance.scorecards import run_scores
from tests.acceptance.scorecards.evaluations import CHECKPOINT_SHA256, clip, history, origin, run


def scored(name: str, similarity: float, sha256: str = CHECKPOINT_SHA256):
    clips = [clip(number, similarity=similarity) for number in range(6)]
    return run(clips, name, source=origin(run_id=name, checkpoint_sha256=sha256))


def test_only_scorecards_of_this_checkpoint_are_found_the_newest_first(tmp_path):
    history(tmp_path, scored("older", 0.7), scored("other", 0.9, "0" * 64), scored("newer", 0.8))
    found = run_scores.of_checkpoint(tmp_path, CHECKPOINT_SHA256)
    assert [one.name for one in found] == ["newer", "older"]
    assert found[0].points > found[1].points
    assert run_scores.of_checkpoint(tmp_path, "1" * 64) == []
    assert run_scores.of_checkpoint(tmp_path, None) == []


def test_a_workspace_where_nothing_was_scored_has_no_scores(tmp_path):
    assert run_scores.of_checkpoint(tmp_path, CHECKPOINT_SHA256) == []


def test_the_page_shows_points_grade_and_parts(tmp_path):
    history(tmp_path, scored("newer", 0.8))
    [score] = run_scores.of_checkpoint(tmp_path, CHECKPOINT_SHA256)
    page = run_page.render(RunRecord(run_id="20260102T030405Z-1a2b3c"), tmp_path, scores=[score])
    assert f"newer: {score.points:.1f} of 100, grade {score.grade}" in page
    assert all(f"<td>{name}</td>" in page for name, _, _ in score.parts)
    assert "Scores of this checkpoint" not in run_page.render(RunRecord(run_id="x"), tmp_path)
