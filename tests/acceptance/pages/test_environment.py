"""Nothing that a page shows can run, hide text or ask the network; a name that is missing is an error."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest

from acceptance.pages import environment, plot, sound
from acceptance.pages.table import Column, Kind, Table

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>' onload='x \"\x1b[31mred\x1b[0m"
    "\x1b]0;title\x07 \x00 \u202e \u2066 \ud800 {{ 7 * 7 }} <!-- ]]>"
)
PAGE = """{% extends "base.html" %}{% import "parts.html" as parts %}
{% block title %}{{ text }}{% endblock %}
{% block header %}<h1>{{ text }}</h1>{% endblock %}
{% block main %}
{% call parts.verdict(text, false, text) %}{{ parts.copy(text, "action", text) }}{% endcall %}
{{ parts.facts([(text, text)]) }}{{ parts.rows([text], [[text]]) }}{{ parts.badge(text) }}
{{ parts.player(text, text) }}{{ parts.picture(text, text) }}{{ parts.table(table, text) }}{{ curve }}
{% endblock %}
"""


class Elements(HTMLParser):
    """What a parser of HTML sees: elements with their attributes, and the texts of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGE)
    return path


def rendered(template: Path, text: str) -> str:
    table = Table(
        caption=text,
        columns=[Column(title=text), Column(title="n", kind=Kind.NUMBER), Column(title="b", kind=Kind.BADGE)],
        rows=[[text, 1.5, text]],
    )
    curve = plot.lines([plot.Line(name=text, points=[(0, 1), (1, 2)])], title=text, x=text, y=text)
    return environment.render(template, text=text, table=table, curve=curve)


def test_hostile_text_makes_no_element_and_no_attribute(template):
    plain, hostile = Elements(rendered(template, "text")), Elements(rendered(template, HOSTILE))
    assert [tag for tag, _ in hostile.found] == [tag for tag, _ in plain.found]
    assert [sorted(attributes) for _, attributes in hostile.found] == [
        sorted(attributes) for _, attributes in plain.found
    ]
    assert plain.scripts[-1] == hostile.scripts[-1]


def test_signs_that_hide_or_reorder_text_are_not_in_the_page(template):
    page = rendered(template, HOSTILE)
    assert not set("\x1b\x00\u202e\u2066\ud800") & set(page)
    assert "[31m" not in page
    assert "\\u202e" not in page
    page.encode()


def test_the_rows_of_a_table_are_the_given_ones_after_a_parser_read_the_page(template):
    rows = json.loads(Elements(rendered(template, "</script> & 'Grüße' <b>")).scripts[0])["rows"]
    assert rows == [["</script> & 'Grüße' <b>", 1.5, "</script> & 'Grüße' <b>"]]


def test_a_table_with_a_number_that_json_has_not_is_an_error():
    table = Table(caption="t", columns=[Column(title="n", kind=Kind.NUMBER)], rows=[[float("nan")]])
    with pytest.raises(ValueError, match="JSON"):
        environment._json(table.document())


def test_a_row_with_a_cell_too_few_is_an_error():
    with pytest.raises(ValueError, match="row 1 of takes has 1 cells for 2 columns"):
        Table(caption="takes", columns=[Column(title="a"), Column(title="b")], rows=[["x"]])


def test_a_name_that_the_template_uses_and_nobody_gave_is_an_error(template):
    with pytest.raises(jinja2.UndefinedError, match="table"):
        environment.render(template, text="x")


def test_the_policy_names_style_and_script_by_hash_and_no_host(template):
    elements = Elements(rendered(template, "text")).found
    policy = next(found["content"] for tag, found in elements if found.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not [found for _, found in elements if "style" in found or any(name.startswith("on") for name in found)]


def test_a_clip_whose_name_looks_like_an_address_stays_a_file_beside_the_page(tmp_path):
    assert (
        sound.beside(tmp_path / "clips" / "javascript:x #1?.flac", tmp_path / "p.html")
        == "./clips/javascript%3Ax%20%231%3F.flac"
    )
    assert sound.beside(tmp_path / "https:" / "x.flac", tmp_path / "p.html") == "./https%3A/x.flac"
