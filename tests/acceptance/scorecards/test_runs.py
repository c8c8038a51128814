"""Scored runs come back from the history as they were, and are found by any part of their name that is theirs alone."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import asdict, fields, replace
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceptance.failure import HarnessError
from acceptance.record import ledger
from acceptance.scorecards import runs
from tests.acceptance.scorecards.evaluations import POLICY, clip, history, run
from trainer.evaluation.faults import Signal, SignalLimits

marks = st.integers(0, 2_000_000).map(lambda millionths: millionths / 1e6)
"""As an evaluation writes them."""
shares = st.integers(0, 1_000_000).map(lambda millionths: millionths / 1e6)


def test_a_run_comes_back_from_the_history(tmp_path: Path) -> None:
    one = run([clip(1, faults=["clipped"]), clip(2, word_edits=3)], "one")
    path = history(tmp_path, one)
    assert runs.document(runs.load(path).find("one")) == runs.document(one)


@pytest.mark.parametrize("name", ["20260102T030405Z-aaaaaa", "aaaa", "T030405Z-a"])
def test_a_run_is_found_by_its_id_or_a_part_that_only_it_has(tmp_path: Path, name: str) -> None:
    path = history(
        tmp_path, *(run([clip(1)], run_id) for run_id in ("20260102T030405Z-aaaaaa", "20260102T030405Z-bbbbbb"))
    )
    assert runs.load(path).find(name).run_id == "20260102T030405Z-aaaaaa"


def test_an_exact_id_wins_over_longer_ones_that_contain_it(tmp_path: Path) -> None:
    path = history(tmp_path, *(run([clip(1)], run_id) for run_id in ("five", "five-2", "twenty-five")))
    assert runs.load(path).find("five").run_id == "five"


def test_an_ambiguous_part_lists_what_it_may_mean(tmp_path: Path) -> None:
    path = history(tmp_path, *(run([clip(1)], run_id) for run_id in ("seed-0", "seed-1", "other")))
    with pytest.raises(HarnessError, match="'seed' may be any of 2 runs: seed-0, seed-1;") as refused:
        runs.load(path).find("seed")
    assert refused.value.cause == "run_ambiguous"


@pytest.mark.parametrize("name", ["seven", ""])
def test_an_unknown_run_lists_the_newest(tmp_path: Path, name: str) -> None:
    path = history(tmp_path, *(run([clip(1)], f"r{number}") for number in range(7)))
    with pytest.raises(HarnessError, match="the newest are r2, r3, r4, r5, r6") as refused:
        runs.load(path).find(name)
    assert refused.value.cause == "run_unknown"


def test_no_history_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"voice evaluate .*voice scorecard evaluation\.json") as refused:
        runs.load(tmp_path / runs.HISTORY).find("any")
    assert refused.value.cause == "history_empty"


def test_the_newest_record_of_a_run_stands_for_it(tmp_path: Path) -> None:
    path = history(tmp_path, run([clip(1)], "one"), run([clip(1)], "two"), run([clip(1, similarity=0.5)], "one"))
    assert runs.load(path).find("one").rows[0].measured.similarity == 0.5
    assert list(runs.load(path).newest()) == ["one", "two"]


@pytest.mark.parametrize(
    "damage",
    [{}, {"schema": "scorecard/2"}, {"schema": "scorecard/3", "run_id": "x"}, {"schema": "scorecard/3", "extra": [1]}],
)
def test_a_line_that_is_no_run_is_named_and_hides_no_other(tmp_path: Path, damage: dict) -> None:
    path = history(tmp_path, run([clip(1)], "one"))
    ledger.append(path, damage)
    runs.append(path, run([clip(1)], "two"))
    found = runs.load(path)
    assert [one.run_id for one in found.runs] == ["one", "two"]
    assert [line.number for line in found.damage] == [2]
    assert found.notices()[0].startswith(f"{path}:2 does not hold and is left out: ")


def test_a_record_without_the_signals_numbers_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    ledger.append(path, {**runs.document(run([clip(1)], "one")), "schema": "scorecard/1"})
    found = runs.load(path)
    assert (
        "its schema is 'scorecard/1', not 'scorecard/3' (score its evaluation again: voice scorecard)"
        in found.notices()[0]
    )
    with pytest.raises(HarnessError, match="has no line that holds, of 1"):
        found.find("one")


@pytest.mark.long
@given(
    st.builds(Signal, seconds=marks, spoken_s=marks, not_finite=st.integers(0, 9), clipping=shares, offset=marks, silence=shares,
              longest_pause_s=marks, start_edge_db=marks, end_edge_db=marks, loudness_lufs=st.none() | marks, snr_db=st.none() | marks),
    st.builds(SignalLimits, **{field.name: marks for field in fields(SignalLimits)}),
)  # fmt: skip
@settings(max_examples=50)
def test_a_run_from_the_history_has_the_same_faults_under_any_limits_as_its_evaluation(
    signal: Signal, limits: SignalLimits
) -> None:
    policy = replace(POLICY, audio=replace(POLICY.audio, **asdict(limits)))
    one = run([replace(clip(1), signal=signal)])
    (row,) = runs.parsed(json.loads(json.dumps(runs.document(one)))).rows
    assert row.measured.faults(policy.audio.signal_limits()) == one.rows[0].measured.faults(limits)
    assert set(row.measured.faults(limits)) >= set(signal.faults(limits, words=10))


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("rows", 0, "measured", "words"), 0, "row 001: words has no possible value (0)"),
        (("rows", 0, "measured", "similarity"), 7.0, "row 001: similarity has no possible value (7)"),
        (("rows", 0, "measured", "overall"), 99.0, "row 001: overall has no possible value (99)"),
        (("rows", 0, "measured", "word_edits"), -5, "row 001: word_edits has no possible value (-5)"),
        (("rows", 0, "measured", "signal", "silence"), -5.0, "row 001: signal.silence has no possible value (-5)"),
        (("rows", 0, "score"), 101.0, "row 001: score has no possible value (101)"),
        (("rows", 0, "parts", "signal"), 1.5, "row 001: share has no possible value (1.5)"),
        (("score",), 99.0, "score does not follow from its rows (99, not "),
        (("metrics", "signal", "share"), 0.7, "share of signal does not follow from its rows"),
        (("metrics", "signal", "verdict"), "superb", "its grade or a verdict is none"),
        (("grade",), "A+", "its grade or a verdict is none"),
        (("rejected", "faulty"), 0, "rejected.faulty does not follow from its rows (0, not 1)"),
        (("rejected", "utterances"), 2, "rejected.share does not follow"),
        (("rejected", "below_grade"), -1, "rejected.below_grade has no possible value"),
    ],
)
def test_a_record_with_an_impossible_value_is_named_and_left_out(
    tmp_path: Path, place: tuple, value: object, problem: str
) -> None:
    document = runs.document(run([clip(1, faults=["clipped"]), clip(2)], "one"))
    *above, name = place
    inner = document
    for key in above:
        inner = inner[key]
    inner[name] = value
    path = tmp_path / "history.jsonl"
    ledger.append(path, document)
    assert problem in runs.load(path).notices()[0]


def test_an_equal_run_is_added_once_and_its_record_is_returned(tmp_path: Path) -> None:
    first, again = (replace(run([clip(1)], "one"), created=f"2026-01-02T03:04:0{second}Z") for second in (5, 6))
    path = history(tmp_path, first)
    assert runs.append(path, again).created == first.created
    assert len(runs.load(path).runs) == 1


def test_an_earlier_record_of_an_id_is_added_again_when_another_stands_for_it_now(tmp_path: Path) -> None:
    first, other = run([clip(1)], "one"), run([clip(1), clip(2)], "one")
    path = history(tmp_path, first, other)
    assert runs.append(path, first) is first
    assert len(runs.load(path).find("one").rows) == 1


def test_a_damaged_record_does_not_stand_for_a_run(tmp_path: Path) -> None:
    one = run([clip(1)], "one")
    path = history(tmp_path, one)
    ledger.append(path, {**runs.document(one), "schema": "scorecard/1"})
    assert runs.append(path, replace(one)).created == one.created
    assert len(ledger.read(path).lines) == 2


@pytest.mark.long
def test_of_two_processes_that_append_equal_runs_at_the_same_moment_one_adds_each(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together, counts = context.Barrier(2), context.Queue()
    both = [context.Process(target=_append_all, args=(tmp_path / "history.jsonl", together, counts)) for _ in range(2)]
    for process in both:
        process.start()
    added = [counts.get(timeout=60) for _ in both]
    for process in both:
        process.join(60)
    found = runs.load(tmp_path / "history.jsonl")
    assert sorted(one.run_id for one in found.runs) == sorted(f"r{number}" for number in range(_MANY))
    assert sum(added) == _MANY and found.damage == ()


_MANY = 50


def _append_all(path: Path, together: Barrier, counts: Queue[int]) -> None:
    mine = [run([clip(1)], f"r{number}") for number in range(_MANY)]
    added = 0
    for one in mine:
        together.wait(60)
        added += runs.append(path, one) is one
    counts.put(added)
