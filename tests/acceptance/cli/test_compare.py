"""`voice compare`: one recommendation whose exit status can be used in a script, and errors that name what a name may mean."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acceptance.cli.main import voice
from acceptance.record import ledger
from acceptance.scorecards import runs
from tests.acceptance.scorecards.evaluations import clip, history, policy_file, run


def voice_of(similarity: float, run_id: str, **options) -> runs.Run:
    return run([clip(number, similarity=similarity + 0.002 * (number % 3)) for number in range(12)], run_id, **options)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two seeds of one recipe, a better voice, and one that was measured with another recogniser."""
    history(
        tmp_path, voice_of(0.76, "five-seed-0"), voice_of(0.7601, "five-seed-1"), voice_of(0.84, "ten"),
        voice_of(0.84, "other-pins", pins={"recogniser": "0" * 64}),
    )  # fmt: skip
    return tmp_path


def invoke(workspace: Path, *words: object) -> Result:
    options = ("--policy", str(policy_file(workspace)), "--threshold", "scorecard.resamples=200")
    return CliRunner().invoke(voice, ["compare", *map(str, words), "--workspace", str(workspace), *options])


def test_the_program_promotes_a_better_voice_and_says_why(workspace: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "acceptance.cli",
        "compare",
        "five-seed-0",
        "ten",
        "--workspace",
        workspace,
        "--policy",
        policy_file(workspace),
    ]
    once, again = (subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2))
    assert once.returncode == 0, once.stderr
    assert once.stdout == again.stdout
    assert once.stdout.startswith("# promote: second ten against first five-seed-0\n")
    assert "is speaker_similarity, +0.00 is" in once.stdout


@pytest.mark.parametrize(
    ("a", "b", "answer"),
    [("seed-0", "seed-1", "cannot tell"), ("ten", "seed-0", "hold"), ("ten", "ten", "cannot tell")],
)
def test_what_is_not_promoted_ends_with_1(workspace: Path, a: str, b: str, answer: str) -> None:
    found = invoke(workspace, a, b, "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["recommendation"] == answer


def test_json_has_both_runs_every_metric_and_the_reasons(workspace: Path) -> None:
    document = json.loads(invoke(workspace, "seed-0", "ten", "--json").stdout)
    assert (document["schema"], document["a"]["run_id"], document["b"]["run_id"]) == (
        "comparison/1",
        "five-seed-0",
        "ten",
    )
    assert document["prompts"] == {"common": 12, "only_a": 0, "only_b": 0}
    assert set(document["metrics"]) == {"speaker_similarity", "speech_realism", "intelligibility", "signal"}
    similarity = document["metrics"]["speaker_similarity"]
    assert similarity["better"] == 1 and similarity["difference"]["low"] <= 0.08 <= similarity["difference"]["high"]
    assert document["reasons"]


@pytest.mark.parametrize(
    ("a", "b", "cause", "said"),
    [
        ("five", "ten", "run_ambiguous", "five-seed-0, five-seed-1"),
        ("ten", "twenty", "run_unknown", "the newest are five-seed-0, five-seed-1, ten, other-pins"),
        ("ten", "other-pins", "pins_differ", "recogniser"),
    ],
)
def test_what_cannot_be_compared_ends_with_2_and_says_what_can(
    workspace: Path, a: str, b: str, cause: str, said: str
) -> None:
    found = invoke(workspace, a, b, "--json")
    assert found.exit_code == 2
    answer = json.loads(found.stdout)
    assert answer["cause"] == cause and said in answer["error"]


def test_no_history_says_how_to_make_one(tmp_path: Path) -> None:
    found = invoke(tmp_path, "a", "b")
    assert found.exit_code == 2
    assert "voice evaluate" in found.stderr and "voice scorecard" in found.stderr


def test_a_damaged_line_is_named_in_the_document_and_on_stderr_and_the_others_are_compared(workspace: Path) -> None:
    ledger.append(workspace / runs.HISTORY, {"schema": "nonsense"})
    found = invoke(workspace, "seed-0", "ten", "--json")
    assert found.exit_code == 0
    assert "eval_history.jsonl:5 does not hold" in found.stderr
    document = json.loads(found.stdout)
    assert document["recommendation"] == "promote"
    assert len(document["notices"]) == 2 and "eval_history.jsonl:5 does not hold" in document["notices"][0]


def test_another_policy_scores_both_runs_again_and_says_so(workspace: Path) -> None:
    found = invoke(
        workspace,
        "seed-0",
        "ten",
        "--threshold",
        "scorecard.promotion_minimum_grade=A",
        "--threshold",
        "scorecard.grades.A=99",
    )
    assert found.exit_code == 1
    assert "grade B is below A" in found.output
    assert "scored again under the one in force: five-seed-0, ten" in found.output


def test_the_plot_is_a_png_with_the_same_bytes_every_time(workspace: Path) -> None:
    pictures = []
    for name in ("one.png", "two.png"):
        invoke(workspace, "seed-0", "ten", "--plot", workspace / name)
        pictures.append((workspace / name).read_bytes())
    assert pictures[0].startswith(b"\x89PNG") and pictures[0] == pictures[1]


def test_a_plot_replaces_its_like_and_no_other_file(workspace: Path, tmp_path: Path) -> None:
    before = (workspace / runs.HISTORY).read_bytes()
    (tmp_path / "photo.png").write_bytes(b"\x89PNG mine")
    for path in (workspace / runs.HISTORY, tmp_path / "photo.png"):
        found = invoke(workspace, "seed-0", "ten", "--plot", path)
        assert found.exit_code == 2 and "[output_exists]" in found.stderr
    assert (workspace / runs.HISTORY).read_bytes() == before
    for _ in range(2):
        assert invoke(workspace, "seed-0", "ten", "--plot", tmp_path / "plot.png").exit_code == 0
