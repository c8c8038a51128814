"""The document of a voice: what goes in comes out, and everything else is refused by name."""

import contextlib
import copy
import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainer.backbones.adapter.spoken import speaker_of
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.acoustic.speaker import Speaker
from trainer.voice import document as voice


@pytest.fixture
def speaker(training, embedding) -> Speaker:
    return speaker_of(training, embedding)


@pytest.fixture
def document(base, speaker) -> dict:
    return copy.deepcopy(
        voice.document(
            acoustic=base.acoustic, vocoder=base.vocoder, speaker=speaker, training={"seed": 3},
        )
    )  # fmt: skip


def test_a_saved_voice_is_the_voice(document, speaker, base, tmp_path):
    checkpoint.save(tmp_path / "voice.pt", document)
    found = voice.load(tmp_path / "voice.pt")
    assert found.training == {"seed": 3}
    assert all(torch.equal(value, speaker.as_dict()[name]) for name, value in found.speaker.as_dict().items())
    for ours, theirs in ((found.acoustic, base.acoustic), (found.vocoder, base.vocoder)):
        assert not ours.training
        assert all(torch.equal(value, theirs.state_dict()[name]) for name, value in ours.state_dict().items())


def test_a_voice_of_before_the_speaker_statistics_went_is_still_read(document, base):
    found = voice.restore({**document, "statistics": {"median_f0_hz": 120.0}})
    assert torch.equal(found.vocoder.state_dict()["output.bias"], base.vocoder.state_dict()["output.bias"])


@pytest.mark.parametrize(
    ("form", "version"), [("voice-acceptance/vocoder", 1), ("voice-acceptance/voice", 1), ("voice-acceptance/voice", 3)]
)
def test_another_version_is_refused_naming_both(document, form, version):
    with pytest.raises(CheckpointError) as caught:
        voice.restore({**document, "format": form, "version": version})
    assert caught.value.cause == "wrong_format"
    assert f"{form} version {version}" in str(caught.value)
    assert f"{voice.FORMAT} version {voice.VERSION}" in str(caught.value)


def broken(document: dict, change: str) -> dict:
    match change:
        case "no format":
            del document["format"]
        case "a list":
            document["acoustic"] = []
        case "no speaker":
            del document["speaker"]
        case "other symbols":
            document["symbols"] = document["symbols"][::-1]
        case "other features":
            document["features"]["hop"] = 300
        case "a huge config":
            document["acoustic"]["config"]["hidden"] = 4096
        case "a senseless config":
            document["vocoder"]["config"]["width"] = "many"
        case "no config":
            del document["vocoder"]["config"]
        case "a weight too few":
            document["acoustic"]["weights"].popitem()
        case "a weight of another shape":
            document["vocoder"]["weights"]["output.bias"] = torch.zeros(3)
        case "a weight that is no number":
            document["vocoder"]["weights"]["output.bias"][0] = math.nan
        case "a weight that is text":
            document["vocoder"]["weights"]["output.bias"] = "0"
        case "a weight of whole numbers":
            bias = document["vocoder"]["weights"]["output.bias"]
            document["vocoder"]["weights"]["output.bias"] = bias.to(torch.int64)
        case "a speaker that is no number":
            document["speaker"]["embedding"][7] = math.inf
    return document


@pytest.mark.parametrize(
    "change",
    [
        "no format", "a list", "no speaker", "other symbols", "other features", "a huge config", "a senseless config", "no config",
        "a weight too few", "a weight of another shape", "a weight that is no number", "a weight that is text",
        "a weight of whole numbers", "a speaker that is no number",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(document, change):
    with pytest.raises(CheckpointError) as caught:
        voice.restore(broken(document, change))
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


def places(value: object) -> list[tuple]:
    """Where everything in nested containers stands, as paths of keys."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in below for path in ((key,), *((key, *rest) for rest in places(item)))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), odd=st.booleans().flatmap(lambda plain: PLAIN if plain else TENSORS))
def test_an_odd_value_anywhere_is_refused_or_read_and_nothing_else(document, data, odd):
    found, depth = places(document), data.draw(st.integers(1, 3))
    *above, last = data.draw(st.sampled_from([path for path in found if len(path) <= depth]))
    changed = {**document}
    inside = changed
    for key in above:
        inside[key] = copy.copy(inside[key])
        inside = inside[key]
    inside[last] = odd
    with contextlib.suppress(CheckpointError):
        voice.restore(changed)


@pytest.mark.parametrize("place", ["format", "version", "symbols", "features", "training"])
def test_a_tensor_where_a_text_or_number_belongs_is_refused(document, place):
    document[place] = torch.ones(2)
    with pytest.raises(CheckpointError, match=f"'{place}'"):
        voice.restore(document)
