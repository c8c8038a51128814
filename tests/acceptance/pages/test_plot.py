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


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_every_dot_of_a_scatter_is_inside_the_picture(points):
    svg = plot.scatter([plot.Group(name="<x>", colour="good", points=points)], title="t", x="x", y="y")
    (dots,) = [one.get("d") for one in ElementTree.fromstring(svg).iter("path") if "dots" in one.get("class", "")]
    places = [tuple(map(int, one.split())) for one in dots[1:].replace("h0", "").split("M")]
    assert 0 < len(places) <= len(set(points))
    assert all(0 <= left <= plot.WIDTH and 0 <= top <= plot.HEIGHT for left, top in places)


def test_ten_thousand_dots_are_a_small_picture_and_a_group_without_any_has_no_name_in_it():
    points = [(number % 101, number % 97) for number in range(10_000)]
    groups = [
        plot.Group(name="some", colour="good", points=points),
        plot.Group(name="none", colour="bad", points=[(float("nan"), 1.0)]),
    ]
    svg = plot.scatter(groups, title="t", x="x", y="y")
    assert len(svg) < 150_000
    assert "some (10000)" in svg
    assert "none" not in svg


def test_the_parts_of_a_bar_fill_it_and_nothing_has_no_bar():
    svg = plot.shares([("a", 3, "good"), ("b", 0, "warn"), ("<c>", 1, "bad")], title="t")
    rects = list(ElementTree.fromstring(svg).iter("rect"))
    assert [float(one.get("x")) for one in rects] == [0.0, plot.WIDTH * 3 / 4]
    assert plot.shares([("a", 0, "good")], title="t") == ""


@pytest.mark.parametrize(("limit", "anchor"), [(0.0, "start"), (5.0, "middle"), (10.0, "end")])
def test_the_name_of_a_limit_is_never_cut(limit, anchor):
    svg = ElementTree.fromstring(plot.histogram([0.0, 10.0], title="t", x="x", limit=limit))
    (name,) = [one for one in svg.iter("text") if (one.text or "").startswith("limit")]
    assert name.get("text-anchor") == anchor
