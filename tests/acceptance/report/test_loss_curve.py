"""Loss curves come from the run's table, else from its status, whatever stands in either."""

from __future__ import annotations

import pytest

from acceptance.report import loss_curve

TABLE = """step,steps_total,stage,training_loss,held_out_loss,seconds
0,4,acoustic model,,2.5,0.0
1,4,acoustic model,3.0,,0.1
2,4,acoustic model,2.0,,0.2
2,4,acoustic model,,1.5,0.2
3,4,vocoder,0.9,,0.3
4,4,vocoder,0.8,,0.4
"""
LEARNING = {"criterion": "all", "history": [[0, None, 4.0], [10, 3.0, 2.0]]}


def test_each_stage_of_the_table_is_a_plot(tmp_path):
    (tmp_path / "training_log.csv").write_text(TABLE)
    found = loss_curve.of_run(tmp_path, LEARNING)
    assert [heading for heading, _ in found] == ["Loss of the acoustic model", "Loss of the vocoder"]
    assert ["held out" in svg for _, svg in found] == [True, False]


@pytest.mark.parametrize("damage", ["", "a,b\n1,2\n", TABLE.replace("2.5", "x"), TABLE.replace("stage", "other")])
def test_a_table_that_is_none_gives_way_to_the_status(tmp_path, damage):
    (tmp_path / "training_log.csv").write_text(damage)
    assert [heading for heading, _ in loss_curve.of_run(tmp_path, LEARNING)] == ["Loss of the all"]


@pytest.mark.parametrize(
    "learning",
    [
        None,
        [],
        {},
        {"history": 7},
        {"history": [7, [], [1, 2], ["a", None, True], [0, None, "x"]]},
        {"history": [[0, {}, []]]},
    ],
)
def test_a_status_with_anything_in_it_gives_no_plot_and_no_error(tmp_path, learning):
    assert loss_curve.of_run(tmp_path, learning) == []


def test_a_criterion_with_markup_stays_text(tmp_path):
    [(_, svg)] = loss_curve.of_run(tmp_path, LEARNING | {"criterion": "<script>"})
    assert "<script" not in svg
