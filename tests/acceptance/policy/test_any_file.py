"""The loader under arbitrary input: a policy or a PolicyError, nothing else; and every valid policy survives being written and read."""

from __future__ import annotations

import math
import tempfile
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import assume, given, settings

from acceptance.policy import THRESHOLDS, Policy, PolicyError, load, schema
from acceptance.policy.consistency import problems
from acceptance.policy.schema import Leaf
from tests.acceptance.policy.samples import KEYS, fits, others, yaml

DELIVERED = THRESHOLDS.read_bytes()
FRAGMENTS = st.sampled_from(
    [
        *("\n", "  ", " ", "\t", ":", ": ", "- ", "#", "'", '"', "{", "}", "[", "]", ","),
        *("&a", "*a", "!", "!!str ", "|", ">", "%", "---", "...", "?"),
        *(
            "0",
            "-1",
            "1e999",
            ".nan",
            "true",
            "null",
            "<<",
            "\u2028",
            "\ufeff",
            "\x85",
            "\x00",
            "é",
            "%YAML 1.2",
            "%TAG ! tag:x,2000:",
        ),
        *KEYS,
        *{part for key in KEYS for part in key.split(".")},
    ]
)


def answer(data: bytes, overrides: list[str] | None = None) -> Policy | None:
    """The policy, or None for a refusal that keeps its form."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "rules.yaml"
        path.write_bytes(data)
        try:
            return load(path, overrides or [])
        except PolicyError as error:
            text = str(error)
            assert text.startswith(("rules.yaml", "--threshold")), text
            assert "; " in text and text.isprintable(), text
            return None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_give_a_traceback(data: bytes) -> None:
    answer(data)


@settings(max_examples=200, deadline=None)
@given(st.lists(FRAGMENTS, max_size=30).map("".join))
def test_no_almost_yaml_gives_a_traceback(text: str) -> None:
    answer(text.encode())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DELIVERED)), st.integers(0, 40), st.one_of(st.binary(max_size=12), FRAGMENTS.map(str.encode)))
def test_no_damage_to_the_delivered_file_gives_a_traceback(start: int, length: int, replacement: bytes) -> None:
    answer(DELIVERED[:start] + replacement + DELIVERED[start + length :])


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.tuples(st.sampled_from(KEYS), st.lists(FRAGMENTS, max_size=6).map("".join)).map("=".join),
    )
)
def test_no_override_gives_a_traceback(text: str) -> None:
    answer(b"audio: {}\n", [text])


def values_of(leaf: Leaf) -> st.SearchStrategy[Any]:
    """Values in the leaf's range, by its type."""
    if typing.get_origin(leaf.type) in (Mapping, tuple, typing.Literal):
        return st.sampled_from(others(leaf.key))
    base, *constraints = (leaf.type.__origin__, *leaf.type.__metadata__)
    bounds = [one for field in constraints for one in getattr(field, "metadata", [field])]
    low = max((one.ge for one in bounds if isinstance(one, Ge)), default=None)
    above = max((one.gt for one in bounds if isinstance(one, Gt)), default=None)
    high = min((one.le for one in bounds if isinstance(one, Le)), default=None)
    assert not any(isinstance(one, Lt) for one in bounds)
    if base is int:
        return st.integers(low, high or 10**12)
    if base is float:
        return st.floats(
            low if above is None else math.nextafter(above, math.inf), high, allow_nan=False, allow_infinity=False
        )
    if not fits(leaf, "any # text: {"):
        return st.sampled_from(others(leaf.key))
    return st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=30)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Values for every key, put into the order that they must have."""
    values = {key: draw(values_of(leaf)) for key, leaf in schema.leaves().items()}
    for section, rising in (("speaker_similarity", True), ("speech_realism", True), ("intelligibility", False)):
        keys = [f"{section}.{name}" for name in ("floor", "pass", "warn", "ceiling")]
        values |= zip(keys, sorted((values[key] for key in keys), reverse=not rising), strict=True)
    grades = [key for key in KEYS if key.startswith("scorecard.grades.")]
    values |= zip(grades, sorted((values[key] for key in grades), reverse=True), strict=True)
    weights = [key for key in KEYS if key.startswith("scorecard.weights.")]
    total = sum(values[key] for key in weights)
    assume(total > 0)
    values |= {key: values[key] / total for key in weights}
    for name in ("loudness_lufs", "seconds_per_word"):
        pair = (f"audio.min_{name}", f"audio.max_{name}")
        values |= zip(pair, sorted(values[key] for key in pair), strict=True)
    return values


@settings(max_examples=30, deadline=None)
@given(policies())
def test_a_valid_policy_is_the_same_after_writing_and_reading(values: dict[str, Any]) -> None:
    policy = Policy()
    for key, leaf in schema.leaves().items():
        policy = schema.put(policy, leaf, schema.check(leaf, values[key]))
    assume(not list(problems(policy)))
    found = answer(yaml(values).encode())
    assert found is not None
    assert found.values() == policy.values()
    assert found.sha256 == policy.sha256
    assert all(schema.get(found, leaf) == schema.get(policy, leaf) for leaf in schema.leaves().values())
