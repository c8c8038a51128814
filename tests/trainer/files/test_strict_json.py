"""Strict JSON: everything that Python's parser lets through beyond RFC 8259 and a finite double is a ValueError."""

from __future__ import annotations

import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.files import strict_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES)
def test_plain_json_is_read_as_it_is(value: object) -> None:
    assert strict_json.loads(json.dumps(value)) == value


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("levels", [33, 65, 600, 990, 5_000, 1_000_000])
def test_deep_nesting_is_a_value_error_whatever_its_depth(opening: str, levels: int) -> None:
    closing = "".join({"[": "]", "{": "}"}[sign] for sign in reversed(opening) if sign in "[{")
    text = opening * levels + "1" + closing * levels
    if levels * len(closing) <= strict_json.MAX_DEPTH:
        strict_json.loads(text)
        return
    with pytest.raises(ValueError, match=r"nested deeper than 64 levels|holds more than \d+ values"):
        strict_json.loads(text)


def test_brackets_in_text_are_no_nesting() -> None:
    assert strict_json.loads(json.dumps("[" * 1000)) == "[" * 1000
    assert len(strict_json.loads("[" + "[]," * 1000 + "[]]")) == 1001


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "1e999", "1" + "0" * 400, "9" * 5000, '{"a":1,"a":1}', "", "[1,]", "1 2"]
)
def test_what_is_no_finite_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 each has its own words
        strict_json.loads(text)


@pytest.mark.parametrize("text", ['"\\ud800"', '{"a": ["x\\uDFFF"]}', '{"\\udc00": 1}', '"\\ud800\\ud800"', '"\ud800"'])
def test_half_of_a_surrogate_pair_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        strict_json.loads(text)


@pytest.mark.parametrize("text", ['"\\ud83d\\ude42"', r'"\\ud800"'])
def test_a_whole_pair_and_an_escaped_backslash_are_text(text: str) -> None:
    assert strict_json.loads(text) == json.loads(text)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\xff{}", "not UTF-8 text"), (b" \n", "empty, not JSON"), (b"{\n} x", r"not JSON \(line 2, column 3\)")],
)
def test_what_is_no_json_at_all_is_said_in_plain_words(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        strict_json.loads(data)


@given(VALUES)
def test_what_is_written_is_read_again_in_every_way(value: object) -> None:
    for written in (
        strict_json.canonical(value),
        strict_json.readable(value),
        strict_json.readable(value, indent=1, ascii_only=True),
    ):
        assert strict_json.loads(written) == value


@given(st.dictionaries(st.text(), st.integers(), max_size=4))
def test_equal_values_have_one_text_and_one_digest(value: dict) -> None:
    other = dict(reversed(value.items()))
    assert strict_json.canonical(value) == strict_json.canonical(other)
    assert strict_json.digest(value) == strict_json.digest(other)
    assert strict_json.canonical(value).isascii() and "\n" not in strict_json.canonical(value)


def test_the_texts_are_these() -> None:
    value = {"b": "ä", "a": [1, 0.5]}
    assert strict_json.canonical(value) == '{"a":[1,0.5],"b":"\\u00e4"}'
    assert strict_json.readable({"b": "ä", "a": 1}) == '{\n  "a": 1,\n  "b": "ä"\n}\n'.encode()
    assert strict_json.readable({"a": "ä"}, indent=1, ascii_only=True) == b'{\n "a": "\\u00e4"\n}\n'
    assert strict_json.digest(value) == hashlib.sha256(b'{"a": [1, 0.5], "b": "\\u00e4"}').hexdigest()


@pytest.mark.parametrize("write", [strict_json.canonical, strict_json.readable])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_of_json_is_not_written(write, number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write({"loss": number})
