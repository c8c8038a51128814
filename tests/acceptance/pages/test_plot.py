"""Plots are well-formed SVG whose marks lie inside the picture, whatever the numbers are."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.pages import plot

NUMBERS = st.floats(-1e12, 1e12)


def circles(svg: str) -> list[tuple[float, float]]:
    return [(float(one.get("cx")), float(one.get("cy"))) for one in ElementTree.fromstring(svg).iter("circle")]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_every_point_is_inside_the_picture(points):
    found = circles(plot.lines([plot.Line(name="x", points=points, dots=True)], title="t", x="x", y="y"))
    assert len(found) == len(points)
    assert all(0 <= left <= plot.WIDTH and 0 <= top <= plot.HEIGHT for left, top in found)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_points_that_are_not_finite_are_left_out(bad):
    svg = plot.lines([plot.Line(name="x", points=[(0, 1), (1, bad), (2, 3)], dots=True)], title="t", x="x", y="y")
    assert len(circles(svg)) == 2


def test_without_a_point_there_is_no_picture():
    assert plot.lines([plot.Line(name="x", points=[])], title="t", x="x", y="y") == ""
    assert plot.histogram([None, float("nan")], title="t", x="x") == ""


@given(st.lists(NUMBERS, min_size=1, max_size=50))
def test_a_histogram_of_any_numbers_is_well_formed(values):
    assert ElementTree.fromstring(plot.histogram(values, title="t", x="<x>", limit=values[0])).tag == "svg"


def test_a_hundred_thousand_points_make_a_small_picture():
    points = [(number, number % 7) for number in range(100_000)]
    svg = plot.lines([plot.Line(name="x", points=points)], title="t", x="x", y="y")
    assert len(svg) < 20_000
