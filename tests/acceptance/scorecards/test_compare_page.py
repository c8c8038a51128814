"""`voice compare --html`: both versions prompt by prompt, each clip with its player, and no text that could run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acceptance.cli.main import voice
from acceptance.scorecards.runs import Run
from tests.acceptance.scorecards.evaluations import clip, history, policy_file, run

HOSTILE = "</script><script>alert(1)</script> \x1b[31m\u202e"


def version(similarity: float, name: str, prompts: int = 12) -> Run:
    clips = [clip(number, similarity=similarity + 0.002 * (number % 3)) for number in range(prompts)]
    return run([*clips, clip(90, similarity=similarity, prompt=HOSTILE)], name)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    history(tmp_path, version(0.76, "first-voice"), version(0.84, "second-voice"))
    for folder in ("first clips", "second"):
        (tmp_path / folder).mkdir()
        for number in (*range(3), 90):
            (tmp_path / folder / f"{number:03}.wav").write_bytes(b"RIFF")
    return tmp_path


def compare(workspace: Path, *words: object) -> Result:
    options = ("--workspace", workspace, "--policy", policy_file(workspace), "--threshold", "scorecard.resamples=200")
    return CliRunner().invoke(voice, ["compare", "first-voice", "second-voice", *map(str, (*words, *options))])


def rows_of(page: str) -> list[list[object]]:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])["rows"]


def test_the_page_has_every_common_prompt_with_both_scores_and_players(workspace):
    told = compare(
        workspace, "--html", workspace / "out/page.html", "--clips", workspace / "first clips", workspace / "second"
    )
    assert told.exit_code == 0, told.output
    page = (workspace / "out/page.html").read_text()
    rows = rows_of(page)
    assert len(rows) == 13
    assert [row[3] for row in rows] == sorted(row[3] for row in rows)
    assert all(row[3] == pytest.approx(row[2] - row[1]) for row in rows)
    players = {row[0]: row[4:6] for row in rows}
    assert players["This is sentence number 1."] == ["./../first%20clips/001.wav", "./../second/001.wav"]
    assert players["This is sentence number 7."] == [None, None]
    assert "Promote the second version" in page


def test_the_page_without_folders_has_no_players_and_says_what_they_need(workspace):
    assert compare(workspace, "--html", workspace / "page.html").exit_code == 0
    page = (workspace / "page.html").read_text()
    assert len(rows_of(page)[0]) == 4
    assert "--clips FIRST_DIR SECOND_DIR" in page


def test_a_prompt_with_markup_is_text(workspace):
    compare(workspace, "--html", workspace / "page.html")
    page = (workspace / "page.html").read_text()
    assert "</script><script>alert(1)</script> ?" in [row[0] for row in rows_of(page)]
    assert page.count("<script") == 2
    assert not set("\x1b\u202e") & set(page)


def test_the_answer_is_the_same_with_a_page(workspace):
    with_page = compare(workspace, "--html", workspace / "page.html")
    assert with_page.output == compare(workspace).output


def test_a_folder_of_other_clips_is_refused(workspace):
    (workspace / "empty").mkdir()
    told = CliRunner().invoke(
        voice,
        ["compare", "first-voice", "second-voice", "--workspace", str(workspace), "--policy", str(policy_file(workspace)),
         "--html", str(workspace / "page.html"), "--clips", str(workspace / "second"), str(workspace / "empty")],
        standalone_mode=False,
    )  # fmt: skip
    assert "holds none of the 13 clips of second-voice" in str(told.exception) + told.output
    assert not (workspace / "page.html").exists()


def test_a_file_that_is_no_page_is_not_replaced_and_a_page_is(workspace):
    (workspace / "page.html").write_text("a person's own")
    assert compare(workspace, "--html", workspace / "page.html").exit_code == 2
    assert (workspace / "page.html").read_text() == "a person's own"
    assert compare(workspace, "--html", workspace / "page.html", "--overwrite").exit_code == 0
    assert compare(workspace, "--html", workspace / "page.html").exit_code == 0


def test_folders_without_a_page_are_a_usage_error(workspace):
    assert compare(workspace, "--clips", workspace, workspace).exit_code == 2
