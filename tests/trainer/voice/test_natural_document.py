"""The document of a voice: what goes in comes out, and everything else is refused by name."""

from __future__ import annotations

import contextlib
import copy
import math
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trainer.synthesis import untrained_voice
from trainer.files.checkpoint import CheckpointError
from trainer.voice import natural_document


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return untrained_voice.contents()


@pytest.fixture
def document(whole: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(whole)


def test_what_goes_in_comes_out(document: dict[str, Any]) -> None:
    found = natural_document.restore({**document, "training": {"seed": 3}})
    assert found.training == {"seed": 3} and not found.model.training
    weights = document["network"]["weights"]
    assert all(torch.equal(value, weights[name]) for name, value in found.model.state_dict().items())


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("voice-acceptance/voice", "spectral-adapter, which this program no longer reads: train the voice again"),
        (
            "voice-acceptance/vocoder",
            "voice-acceptance/vocoder version 2; this program reads voice-acceptance/natural-voice",
        ),
        ("another", "not a voice of this project"),
    ],
)
def test_what_another_backbone_or_program_wrote_is_refused_with_what_to_do(form: str, said: str) -> None:
    theirs = {"format": form, "version": 2, "acoustic": {"weights": {"bias": torch.zeros(3)}}, "speaker": torch.ones(2)}
    with pytest.raises(CheckpointError, match=said) as caught:
        natural_document.restore(theirs)
    assert caught.value.cause == "wrong_format"


def broken(document: dict[str, Any], change: str) -> dict[str, Any]:
    network = document["network"]
    match change:
        case "no format":
            del document["format"]
        case "a list":
            document["network"] = []
        case "no speaker":
            del document["speaker"]
        case "other symbols":
            document["symbols"] = document["symbols"][::-1]
        case "a huge config":
            network["config"]["hidden"] = 8192
        case "a senseless config":
            network["config"]["width"] = "many"
        case "no config":
            del network["config"]
        case "a weight too few":
            network["weights"].popitem()
        case "a weight of another shape":
            network["weights"]["decoder.output.bias"] = torch.zeros(3)
        case "a weight that is no number":
            network["weights"]["decoder.output.bias"][0] = math.nan
        case "a weight that is text":
            network["weights"]["decoder.output.bias"] = "0"
        case "a weight of whole numbers":
            network["weights"]["decoder.output.bias"] = network["weights"]["decoder.output.bias"].to(torch.int64)
        case "a speaker that is no number":
            document["speaker"]["f0"] = math.inf
    return document


@pytest.mark.parametrize(
    "change",
    [
        "no format", "a list", "no speaker", "other symbols", "a huge config", "a senseless config", "no config", "a weight too few",
        "a weight of another shape", "a weight that is no number", "a weight that is text", "a weight of whole numbers",
        "a speaker that is no number",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(document: dict[str, Any], change: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        natural_document.restore(broken(document, change))
    assert caught.value.cause == "wrong_format"


TENSORS = st.sampled_from(
    [
        torch.zeros(()),
        torch.zeros(0),
        torch.ones(2),
        torch.ones(3, dtype=torch.bool),
        torch.zeros(2, dtype=torch.complex64),
    ]
)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2), st.just(10**600),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.just(("a", 1)),
)  # fmt: skip
"""What a checkpoint may hold in any place, beside tensors."""


def places(value: object) -> list[tuple[Any, ...]]:
    """Where everything in nested containers stands, as paths of keys."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in below for path in ((key,), *((key, *rest) for rest in places(item)))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), odd=st.booleans().flatmap(lambda plain: PLAIN if plain else TENSORS))
def test_an_odd_value_anywhere_is_refused_or_read_and_nothing_else(whole: dict[str, Any], data: Any, odd: Any) -> None:
    depth = data.draw(st.integers(1, 3))
    *above, last = data.draw(st.sampled_from([path for path in places(whole) if len(path) <= depth]))
    changed = {**whole}
    inside = changed
    for key in above:
        inside[key] = copy.copy(inside[key])
        inside = inside[key]
    inside[last] = odd
    with contextlib.suppress(CheckpointError):
        natural_document.restore(changed)


@pytest.mark.parametrize("place", ["format", "version", "symbols", "training"])
def test_a_tensor_where_a_text_or_number_belongs_is_refused(document: dict[str, Any], place: str) -> None:
    document[place] = torch.ones(2)
    with pytest.raises(CheckpointError, match=f"'{place}'"):
        natural_document.restore(document)
